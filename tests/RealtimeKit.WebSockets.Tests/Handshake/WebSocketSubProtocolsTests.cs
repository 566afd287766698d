namespace RealtimeKit.WebSockets.Tests;

public class WebSocketSubProtocolsTests
{
    private static readonly WebSocketHandshakeOptions Known = new() { SubProtocols = ["soap", "wamp", "mqtt"] };

    // RFC 6455 §4.1 item 10: "ordered by preference", by the client
    [Theory]
    [InlineData("wamp", "wamp")]
    [InlineData("mqtt, soap", "mqtt")]
    [InlineData("other,wamp ,\tsoap", "wamp")]
    [InlineData("other", null)]
    [InlineData("WAMP", null)]
    [InlineData("wam, wampp", null)]
    [InlineData(",,soap,", "soap")]
    public void Select_List_TakesTheFirstThatTheServerKnows(string offered, string? expected)
    {
        WebSocketSubProtocols.Select(offered, Known, out var selected).Should().Be(WebSocketHandshakeError.None);
        selected.Should().Be(expected);
    }

    [Fact]
    public void Select_SeveralLines_AreOneList()
    {
        WebSocketSubProtocols.Select(new[] { "other", "mqtt, soap" }, Known, out var selected).Should().Be(WebSocketHandshakeError.None);
        selected.Should().BeSameAs(Known.SubProtocols[2]);
    }

    [Fact]
    public void Select_NoHeader_IsNoError()
    {
        WebSocketSubProtocols.Select(default, Known, out var selected).Should().Be(WebSocketHandshakeError.None);
        selected.Should().BeNull();
    }

    // RFC 6455 §4.2.2: the empty value is not the absent header; §4.3: 1#token
    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData(",")]
    [InlineData(" ,\t, ")]
    [InlineData("a b")]
    [InlineData("soap, wamp mqtt")]
    [InlineData("\"soap\"")]
    [InlineData("soap;q=1")]
    [InlineData("soap, \"")]
    [InlineData("sö")]
    [InlineData("soap, \u0000")]
    [InlineData("soap\r\nX: y")]
    [InlineData("http://example.com")]
    [InlineData("\U0001F4A9")]
    [InlineData("\uD800")]
    public void Select_MalformedList_IsRefused(string offered)
    {
        WebSocketSubProtocols.Select(offered, Known, out var selected).Should().Be(WebSocketHandshakeError.SubProtocolsMalformed);
        selected.Should().BeNull();
    }

    // RFC 6455 §4.1 item 10: "MUST all be unique strings"
    [Fact]
    public void Select_Duplicate_IsRefusedInShortAndLongListsAndAcrossLines()
    {
        WebSocketSubProtocols.Select("soap,soap", Known, out var selected).Should().Be(WebSocketHandshakeError.SubProtocolDuplicate);
        selected.Should().BeNull();
        WebSocketSubProtocols.Select(new[] { "soap", "x,soap" }, Known, out _).Should().Be(WebSocketHandshakeError.SubProtocolDuplicate);

        var many = string.Join(',', Enumerable.Range(0, 40).Select(i => $"p{i}"));
        WebSocketSubProtocols.Select(many, Known, out _).Should().Be(WebSocketHandshakeError.None);
        WebSocketSubProtocols.Select(many + ",p39", Known, out _).Should().Be(WebSocketHandshakeError.SubProtocolDuplicate);
    }

    [Fact]
    public void Select_SameNameInOtherCase_IsNoDuplicate() =>
        WebSocketSubProtocols.Select("soap,Soap", Known, out _).Should().Be(WebSocketHandshakeError.None);

    [Theory]
    [InlineData("__proto__")]
    [InlineData("constructor")]
    [InlineData("toString")]
    public void Select_NamesOfOtherLanguages_AreOrdinaryTokens(string offered)
    {
        WebSocketSubProtocols.Select(offered, Known, out var selected).Should().Be(WebSocketHandshakeError.None);
        selected.Should().BeNull();
    }

    [Fact]
    public void Select_EmptyElements_CountAgainstTheLimit()
    {
        WebSocketSubProtocols.Select(new string(',', 62) + "soap", Known, out _).Should().Be(WebSocketHandshakeError.None);
        WebSocketSubProtocols.Select(new string(',', 64) + "soap", Known, out _).Should().Be(WebSocketHandshakeError.TooManyListElements);
    }

    [Fact]
    public void Select_LinesWithoutEnd_CountAgainstTheLimit() =>
        WebSocketSubProtocols.Select(Enumerable.Repeat("", 65).ToArray(), Known, out _)
            .Should().Be(WebSocketHandshakeError.TooManyListElements);

    // The shape of CVE-2021-32640: a list that makes a backtracking parser quadratic. Work is bounded by counting, not by time: a
    // megabyte of white space and a list of 200,000 names finish at all only when they are read once.
    [Fact]
    public void Select_HugeListWithRaisedLimit_IsReadOnce()
    {
        var options = new WebSocketHandshakeOptions { MaxListElements = int.MaxValue, SubProtocols = ["last"] };
        var names = string.Join(" ,\t", Enumerable.Range(0, 200_000)) + new string(' ', 1_000_000) + ",last";
        WebSocketSubProtocols.Select(names, options, out var selected).Should().Be(WebSocketHandshakeError.None);
        selected.Should().Be("last");
    }

    [Fact]
    public void Select_ShortList_AllocatesNothing()
    {
        long before = 0;
        for (var i = 0; i < 200; i++)
        {
            if (i == 100)
                before = GC.GetAllocatedBytesForCurrentThread();
            WebSocketSubProtocols.Select("other, chat, mqtt", Known, out _);
        }
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().Be(0);
    }

    [Fact]
    public void Read_AtTheEnd_StaysThere()
    {
        var reader = new WebSocketSubProtocolReader("a");
        reader.Read().Should().BeTrue();
        reader.Current.ToString().Should().Be("a");
        reader.Read().Should().BeFalse();
        reader.Read().Should().BeFalse();
        reader.Current.IsEmpty.Should().BeTrue();
        reader.Error.Should().Be(WebSocketHandshakeError.None);
    }

    [Fact]
    public void Read_AfterAnError_StaysThere()
    {
        var reader = new WebSocketSubProtocolReader("a, b c, d");
        reader.Read().Should().BeTrue();
        reader.Read().Should().BeFalse();
        reader.Read().Should().BeFalse();
        reader.Current.IsEmpty.Should().BeTrue();
        reader.Error.Should().Be(WebSocketHandshakeError.SubProtocolsMalformed);
    }
}
