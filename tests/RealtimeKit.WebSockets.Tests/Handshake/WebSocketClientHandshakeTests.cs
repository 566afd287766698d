using System.Net;

namespace RealtimeKit.WebSockets.Tests;

public class WebSocketClientHandshakeTests
{
    private static readonly WebSocketHandshakeOptions Options = new() { SubProtocols = ["chat", "superchat"] };

    private readonly WebSocketClientHandshake _handshake = new(Options, "permessage-deflate; client_max_window_bits, x-other");

    private WebSocketHandshakeResponse Http1 => new()
    {
        HttpVersion = HttpVersion.Version11,
        StatusCode = 101,
        Upgrade = "websocket",
        Connection = "Upgrade",
        Accept = WebSocketKey.ComputeAccept(_handshake.Key),
    };

    private static WebSocketHandshakeResponse Http2 => new() { HttpVersion = HttpVersion.Version20, StatusCode = 200 };

    // RFC 6455 §4.1
    [Fact]
    public void WriteHeaders_Http11_GivesEveryHeader() =>
        Headers(_handshake, HttpVersion.Version11).Should().Equal(
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Key", _handshake.Key),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Protocol", "chat, superchat"),
            ("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits, x-other"));

    // RFC 8441 §5
    [Fact]
    public void WriteHeaders_Http2_LeavesOutWhatHttp2DoesNotHave() =>
        Headers(new WebSocketClientHandshake(), HttpVersion.Version20).Should().Equal(("Sec-WebSocket-Version", "13"));

    [Fact]
    public void WriteHeaders_Http11_AreAcceptedByTheServer()
    {
        var sent = Headers(_handshake, HttpVersion.Version11).ToDictionary(h => h.Name, h => h.Value);
        var result = WebSocketHandshake.Validate(
            new WebSocketHandshakeRequest
            {
                Method = "GET",
                HttpVersion = HttpVersion.Version11,
                Connection = sent["Connection"],
                Upgrade = sent["Upgrade"],
                Key = sent["Sec-WebSocket-Key"],
                Version = sent["Sec-WebSocket-Version"],
                SubProtocols = sent["Sec-WebSocket-Protocol"],
                Extensions = sent["Sec-WebSocket-Extensions"],
            },
            new WebSocketHandshakeOptions { SubProtocols = ["superchat"] });

        result.IsAccepted.Should().BeTrue();
        _handshake.Validate(Http1 with { Accept = result.Accept, SubProtocol = result.SubProtocol }, out var subProtocol)
            .Should().Be(WebSocketHandshakeError.None);
        subProtocol.Should().Be("superchat");
    }

    [Fact]
    public void Constructor_TwoHandshakes_HaveTwoKeys() =>
        new WebSocketClientHandshake().Key.Should().NotBe(new WebSocketClientHandshake().Key);

    [Fact]
    public void Constructor_MalformedExtensions_Throws() =>
        FluentActions.Invoking(() => new WebSocketClientHandshake(null, "a;")).Should().Throw<ArgumentException>();

    [Fact]
    public void Validate_GoodResponse_Opens()
    {
        ShouldBe(Http1, WebSocketHandshakeError.None);
        ShouldBe(Http2, WebSocketHandshakeError.None);
        ShouldBe(Http1 with { Upgrade = "WebSocket", Connection = "keep-alive, UPGRADE" }, WebSocketHandshakeError.None);
        ShouldBe(Http1 with { Accept = $" {WebSocketKey.ComputeAccept(_handshake.Key)} " }, WebSocketHandshakeError.None);
    }

    [Theory]
    [InlineData(200)]
    [InlineData(301)]
    [InlineData(401)]
    [InlineData(503)]
    [InlineData(0)]
    public void Validate_StatusIsNot101_Fails(int status) =>
        ShouldBe(Http1 with { StatusCode = status }, WebSocketHandshakeError.UnexpectedStatus);

    // RFC 8441 §5: 2xx, and 101 does not exist there (RFC 9113 §8.6)
    [Theory]
    [InlineData(101, false)]
    [InlineData(200, true)]
    [InlineData(204, true)]
    [InlineData(299, true)]
    [InlineData(300, false)]
    [InlineData(404, false)]
    public void Validate_StatusOverHttp2_MustBe2xx(int status, bool opens) =>
        ShouldBe(Http2 with { StatusCode = status }, opens ? WebSocketHandshakeError.None : WebSocketHandshakeError.UnexpectedStatus);

    // RFC 6455 §4.1: the value of a response's Upgrade is websocket itself
    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("h2c")]
    [InlineData("h2c, websocket")]
    [InlineData("websoc\u212Aet")]
    public void Validate_UpgradeIsNotWebSocket_Fails(string? upgrade) =>
        ShouldBe(Http1 with { Upgrade = upgrade }, WebSocketHandshakeError.ResponseUpgradeInvalid);

    [Theory]
    [InlineData(null)]
    [InlineData("close")]
    public void Validate_ConnectionWithoutUpgrade_Fails(string? connection) =>
        ShouldBe(Http1 with { Connection = connection }, WebSocketHandshakeError.ResponseConnectionInvalid);

    [Fact]
    public void Validate_Accept_MustAnswerTheKeyOnce()
    {
        var accept = WebSocketKey.ComputeAccept(_handshake.Key);
        ShouldBe(Http1 with { Accept = default }, WebSocketHandshakeError.AcceptMissing);
        ShouldBe(Http1 with { Accept = new[] { accept, accept } }, WebSocketHandshakeError.AcceptRepeated);
        ShouldBe(Http1 with { Accept = "" }, WebSocketHandshakeError.AcceptInvalid);
        ShouldBe(Http1 with { Accept = _handshake.Key }, WebSocketHandshakeError.AcceptInvalid);
        ShouldBe(Http1 with { Accept = WebSocketKey.ComputeAccept(WebSocketKey.Create()) }, WebSocketHandshakeError.AcceptInvalid);
        ShouldBe(Http1 with { Accept = accept + "é" }, WebSocketHandshakeError.AcceptInvalid);
    }

    [Theory]
    [InlineData("chat", WebSocketHandshakeError.None)]
    [InlineData(" superchat\t", WebSocketHandshakeError.None)]
    [InlineData("Chat", WebSocketHandshakeError.SubProtocolNotOffered)]
    [InlineData("other", WebSocketHandshakeError.SubProtocolNotOffered)]
    [InlineData("chat, superchat", WebSocketHandshakeError.SubProtocolNotOffered)]
    [InlineData("", WebSocketHandshakeError.SubProtocolNotOffered)]
    public void Validate_SubProtocol_MustBeOneOffered(string value, WebSocketHandshakeError expected)
    {
        _handshake.Validate(Http1 with { SubProtocol = value }, out var subProtocol).Should().Be(expected);
        subProtocol.Should().Be(expected == WebSocketHandshakeError.None ? value.Trim() : null);
    }

    // RFC 6455 §11.3.4
    [Fact]
    public void Validate_RepeatedSubProtocol_Fails() =>
        ShouldBe(Http1 with { SubProtocol = new[] { "chat", "chat" } }, WebSocketHandshakeError.SubProtocolRepeated);

    [Fact]
    public void Validate_SubProtocolWhereNoneWasOffered_Fails() =>
        new WebSocketClientHandshake().Validate(Http2 with { SubProtocol = "chat" }, out _)
            .Should().Be(WebSocketHandshakeError.SubProtocolNotOffered);

    [Theory]
    [InlineData("permessage-deflate", WebSocketHandshakeError.None)]
    [InlineData("x-other, permessage-deflate; server_no_context_takeover", WebSocketHandshakeError.None)]
    [InlineData("x-webkit-deflate-frame", WebSocketHandshakeError.ExtensionNotOffered)]
    [InlineData("x-other, constructor", WebSocketHandshakeError.ExtensionNotOffered)]
    [InlineData("client_max_window_bits", WebSocketHandshakeError.ExtensionNotOffered)]
    [InlineData("permessage-deflate;", WebSocketHandshakeError.ExtensionsMalformed)]
    [InlineData("", WebSocketHandshakeError.ExtensionsMalformed)]
    public void Validate_Extensions_MustBeOffered(string value, WebSocketHandshakeError expected)
    {
        ShouldBe(Http1 with { Extensions = value }, expected);
        ShouldBe(Http2 with { Extensions = value }, expected);
    }

    // RFC 6455 §11.3.2
    [Fact]
    public void Validate_RepeatedExtensions_Fails() =>
        ShouldBe(Http1 with { Extensions = new[] { "x-other", "permessage-deflate" } }, WebSocketHandshakeError.ExtensionsRepeated);

    [Fact]
    public void Validate_ValuesAboveTheLimits_Fail()
    {
        ShouldBe(Http1 with { Connection = new string(',', 16_384) }, WebSocketHandshakeError.HeadersTooLarge);
        ShouldBe(
            Http1 with { Extensions = string.Join(',', Enumerable.Repeat("x-other", 65)) },
            WebSocketHandshakeError.TooManyListElements);
    }

    [Fact]
    public void Validate_Failure_GivesNoSubProtocol()
    {
        _handshake.Validate(Http1 with { SubProtocol = "chat", Extensions = "nope" }, out var subProtocol)
            .Should().Be(WebSocketHandshakeError.ExtensionNotOffered);
        subProtocol.Should().BeNull();
    }

    private void ShouldBe(in WebSocketHandshakeResponse response, WebSocketHandshakeError expected) =>
        _handshake.Validate(response, out _).Should().Be(expected);

    private static List<(string Name, string Value)> Headers(WebSocketClientHandshake handshake, Version version)
    {
        var headers = new List<(string, string)>();
        handshake.WriteHeaders(version, headers, static (list, name, value) => list.Add((name, value)));
        return headers;
    }
}
