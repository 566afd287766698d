namespace RealtimeKit.WebSockets.Tests.Compression;

public class PerMessageDeflateTests
{
    private const string Nothing = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

    private static readonly PerMessageDeflateOptions Takeover = new() { ServerContextTakeover = true, ClientContextTakeover = true };

    // RFC 7692 §7.1, with the default options: nothing is kept between messages.
    [Theory]
    [InlineData("permessage-deflate", Nothing)]
    [InlineData("permessage-deflate; client_max_window_bits", Nothing)]
    [InlineData("permessage-deflate; client_max_window_bits=15", Nothing)]
    [InlineData("permessage-deflate; client_max_window_bits=10", Nothing + "; client_max_window_bits=10")]
    [InlineData("permessage-deflate; client_max_window_bits=\"10\"", Nothing + "; client_max_window_bits=10")]
    [InlineData("permessage-deflate; server_max_window_bits=8", Nothing + "; server_max_window_bits=8")]
    [InlineData("permessage-deflate; server_max_window_bits=15", Nothing + "; server_max_window_bits=15")]
    [InlineData("permessage-deflate; server_no_context_takeover; client_no_context_takeover", Nothing)]
    [InlineData("x-other; a=1, permessage-deflate", Nothing)]
    public void TryAccept_DefaultOptions_AnswersWithoutTakeover(string offers, string expected)
    {
        PerMessageDeflate.TryAccept(offers, new PerMessageDeflateOptions(), out var parameters, out var response).Should().BeTrue();
        response.Should().Be(expected);
        parameters.ServerContextTakeover.Should().BeFalse();
        parameters.ClientContextTakeover.Should().BeFalse();
    }

    [Theory]
    [InlineData("permessage-deflate", "permessage-deflate", true, true)]
    [InlineData("permessage-deflate; client_max_window_bits", "permessage-deflate", true, true)]
    [InlineData("permessage-deflate; server_no_context_takeover", "permessage-deflate; server_no_context_takeover", false, true)]
    [InlineData("permessage-deflate; client_no_context_takeover", "permessage-deflate; client_no_context_takeover", true, false)]
    public void TryAccept_Takeover_IsWhatBothWant(string offers, string expected, bool server, bool client)
    {
        PerMessageDeflate.TryAccept(offers, Takeover, out var parameters, out var response).Should().BeTrue();
        response.Should().Be(expected);
        parameters.Should().Be(new PerMessageDeflateParameters { ServerContextTakeover = server, ClientContextTakeover = client });
    }

    [Fact]
    public void TryAccept_SmallerWindowsOfTheServer_AreAsked()
    {
        var options = new PerMessageDeflateOptions { ServerContextTakeover = true, ClientContextTakeover = true, ServerMaxWindowBits = 11, ClientMaxWindowBits = 10 };
        PerMessageDeflate.TryAccept("permessage-deflate; client_max_window_bits", options, out var parameters, out var response).Should().BeTrue();
        response.Should().Be("permessage-deflate; server_max_window_bits=11; client_max_window_bits=10");
        (parameters.ServerMaxWindowBits, parameters.ClientMaxWindowBits).Should().Be((11, 10));
    }

    // RFC 7692 §7.1.2.2: the parameter must not stand in the answer where the offer does not have it.
    [Fact]
    public void TryAccept_ClientWindowCannotBeLimited_KeepsNoContextInstead()
    {
        var options = new PerMessageDeflateOptions { ClientContextTakeover = true, ServerContextTakeover = true, ClientMaxWindowBits = 10 };
        PerMessageDeflate.TryAccept("permessage-deflate", options, out var parameters, out var response).Should().BeTrue();
        response.Should().Be("permessage-deflate; client_no_context_takeover");
        (parameters.ClientContextTakeover, parameters.ClientMaxWindowBits).Should().Be((false, 15));
    }

    [Theory]
    [InlineData("")]
    [InlineData("x-webkit-deflate-frame")]
    [InlineData("Permessage-Deflate")]
    [InlineData("permessage-deflate; unknown")]
    [InlineData("permessage-deflate; server_no_context_takeover; server_no_context_takeover")]
    [InlineData("permessage-deflate; client_max_window_bits; client_max_window_bits=10")]
    [InlineData("permessage-deflate; server_no_context_takeover=1")]
    [InlineData("permessage-deflate; client_no_context_takeover=true")]
    [InlineData("permessage-deflate; server_max_window_bits")]
    [InlineData("permessage-deflate; server_max_window_bits=7")]
    [InlineData("permessage-deflate; server_max_window_bits=16")]
    [InlineData("permessage-deflate; server_max_window_bits=1000000000000")]
    [InlineData("permessage-deflate; server_max_window_bits=08")]
    [InlineData("permessage-deflate; server_max_window_bits=+9")]
    [InlineData("permessage-deflate; client_max_window_bits=0")]
    [InlineData("permessage-deflate; client_max_window_bits=x")]
    [InlineData("constructor")]
    public void TryAccept_NothingToAccept_Declines(string offers)
    {
        PerMessageDeflate.TryAccept(offers, Takeover, out var parameters, out var response).Should().BeFalse();
        response.Should().BeNull();
        parameters.Should().Be(default(PerMessageDeflateParameters));
    }

    // RFC 7692 §5.1: in the client's order of preference.
    [Fact]
    public void TryAccept_SeveralOffers_TakesTheFirstThatCanBeMet()
    {
        const string Offers = "permessage-deflate; bogus, permessage-deflate; server_max_window_bits=99, permessage-deflate; server_max_window_bits=9, permessage-deflate";
        PerMessageDeflate.TryAccept(Offers, Takeover, out var parameters, out var response).Should().BeTrue();
        response.Should().Be("permessage-deflate; server_max_window_bits=9");
        parameters.ServerMaxWindowBits.Should().Be(9);
    }

    [Fact]
    public void TryAccept_OffersOnSeveralLines_AreOneList()
    {
        PerMessageDeflate.TryAccept(new string[] { "a, permessage-deflate; b", "permessage-deflate; server_max_window_bits=12" }, Takeover, out var parameters, out _).Should().BeTrue();
        parameters.ServerMaxWindowBits.Should().Be(12);
    }

    [Fact]
    public void CreateOffer_AlwaysLetsTheServerChooseTheWindow()
    {
        PerMessageDeflate.CreateOffer(new PerMessageDeflateOptions()).Should().Be(Nothing + "; client_max_window_bits");
        PerMessageDeflate.CreateOffer(Takeover).Should().Be("permessage-deflate; client_max_window_bits");
        PerMessageDeflate.CreateOffer(new PerMessageDeflateOptions { ServerContextTakeover = true, ServerMaxWindowBits = 9, ClientMaxWindowBits = 10 })
            .Should().Be("permessage-deflate; client_no_context_takeover; server_max_window_bits=9; client_max_window_bits=10");
    }

    [Theory]
    [InlineData("permessage-deflate", true, true, 15, 15)]
    [InlineData("permessage-deflate; client_max_window_bits=9", true, true, 15, 9)]
    [InlineData("permessage-deflate; server_max_window_bits=9; client_no_context_takeover", true, false, 9, 15)]
    [InlineData("permessage-deflate; server_no_context_takeover", false, true, 15, 15)]
    public void ReadResponse_WhatTheServerChose_IsAgreed(string response, bool server, bool client, int serverBits, int clientBits)
    {
        PerMessageDeflate.ReadResponse(response, Takeover, out var parameters).Should().Be(WebSocketHandshakeError.None);
        parameters.Should().Be(new PerMessageDeflateParameters
        {
            ServerContextTakeover = server,
            ClientContextTakeover = client,
            ServerMaxWindowBits = serverBits,
            ClientMaxWindowBits = clientBits,
        });
    }

    [Fact]
    public void ReadResponse_NoAnswer_IsDeclined()
    {
        PerMessageDeflate.ReadResponse(default, Takeover, out var parameters).Should().Be(WebSocketHandshakeError.None);
        parameters.Should().BeNull();
    }

    [Theory]
    [InlineData("permessage-deflate; unknown")]
    [InlineData("permessage-deflate; client_max_window_bits")]      // RFC 7692 §7.1.2.2: in an answer it has a value
    [InlineData("permessage-deflate; client_max_window_bits=7")]
    [InlineData("permessage-deflate; server_max_window_bits=16")]
    [InlineData("permessage-deflate; server_max_window_bits=9; server_max_window_bits=9")]
    [InlineData("permessage-deflate; server_no_context_takeover=x")]
    [InlineData("permessage-deflate, permessage-deflate")]
    public void ReadResponse_InvalidAnswer_Fails(string response)
    {
        PerMessageDeflate.ReadResponse(response, Takeover, out var parameters).Should().Be(WebSocketHandshakeError.CompressionInvalid);
        parameters.Should().BeNull();
    }

    // RFC 7692 §7.1.1.1, §7.1.2.1, §7.1.2.2: an answer that does not keep to the offer.
    [Theory]
    [InlineData("permessage-deflate; server_max_window_bits=9; client_max_window_bits=10")]
    [InlineData("permessage-deflate; server_no_context_takeover; client_max_window_bits=10")]
    [InlineData("permessage-deflate; server_no_context_takeover; server_max_window_bits=10")]
    [InlineData("permessage-deflate; server_no_context_takeover; server_max_window_bits=9; client_max_window_bits=11")]
    public void ReadResponse_AnswerBeyondTheOffer_Fails(string response)
    {
        var options = new PerMessageDeflateOptions { ServerMaxWindowBits = 9, ClientMaxWindowBits = 10 };
        PerMessageDeflate.ReadResponse(response, options, out _).Should().Be(WebSocketHandshakeError.CompressionInvalid);
    }

    [Fact]
    public void ReadResponse_EveryAcceptedOffer_IsValidAndTheSameOnBothSides()
    {
        for (var i = 0; i < 256; i++)
        {
            var client = Options(i % 16);
            var server = Options(i / 16);
            PerMessageDeflate.TryAccept(PerMessageDeflate.CreateOffer(client), server, out var agreed, out var response).Should().BeTrue();
            PerMessageDeflate.ReadResponse(response, client, out var read).Should().Be(WebSocketHandshakeError.None);
            read.Should().Be(agreed);
        }

        static PerMessageDeflateOptions Options(int bits) => new()
        {
            ServerContextTakeover = (bits & 1) != 0,
            ClientContextTakeover = (bits & 2) != 0,
            ServerMaxWindowBits = (bits & 4) != 0 ? 9 : 15,
            ClientMaxWindowBits = (bits & 8) != 0 ? 10 : 15,
        };
    }

    [Fact]
    public void Options_OutOfRange_AreRefusedWhereTheyAreSet()
    {
        var options = new PerMessageDeflateOptions();
        ((Action)(() => options.ServerMaxWindowBits = 7)).Should().Throw<ArgumentOutOfRangeException>();
        ((Action)(() => options.ClientMaxWindowBits = 16)).Should().Throw<ArgumentOutOfRangeException>();
        ((Action)(() => options.MinimumSize = -1)).Should().Throw<ArgumentOutOfRangeException>();
        ((Action)(() => options.MaxInflateRatio = -1)).Should().Throw<ArgumentOutOfRangeException>();
        ((Func<object>)(() => new PerMessageDeflateParameters { ServerMaxWindowBits = 16 })).Should().Throw<ArgumentOutOfRangeException>();
    }
}
