using System.Net;

namespace RealtimeKit.WebSockets.Tests;

public class WebSocketHandshakeTests
{
    private const string Key = "dGhlIHNhbXBsZSBub25jZQ==";

    private static readonly WebSocketHandshakeRequest Http1 = new()
    {
        Method = "GET",
        HttpVersion = HttpVersion.Version11,
        Upgrade = "websocket",
        Connection = "Upgrade",
        Key = Key,
        Version = "13",
    };

    private static readonly WebSocketHandshakeRequest Http2 = new()
    {
        Method = "CONNECT",
        HttpVersion = HttpVersion.Version20,
        Protocol = "websocket",
        Version = "13",
    };

    // RFC 6455 §1.3, §4.2.2
    [Fact]
    public void Validate_RfcExample_AcceptsWith101AndItsHeaders()
    {
        var options = new WebSocketHandshakeOptions { SubProtocols = ["superchat", "chat"] };
        var result = WebSocketHandshake.Validate(Http1 with { SubProtocols = "chat, superchat" }, options);

        result.IsAccepted.Should().BeTrue();
        result.Error.Should().Be(WebSocketHandshakeError.None);
        result.Reason.Should().BeEmpty();
        result.StatusCode.Should().Be(101);
        Headers(result).Should().Equal(
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
            ("Sec-WebSocket-Protocol", "chat"));
    }

    // RFC 8441 §5: no key, no accept, no Upgrade, no Connection; the version stays
    [Fact]
    public void Validate_ExtendedConnect_AcceptsWith200AndNoHttp1Headers()
    {
        var options = new WebSocketHandshakeOptions { SubProtocols = ["chat"] };
        var result = WebSocketHandshake.Validate(Http2 with { SubProtocols = "chat" }, options);

        result.IsAccepted.Should().BeTrue();
        result.StatusCode.Should().Be(200);
        result.Accept.Should().BeNull();
        Headers(result).Should().Equal(("Sec-WebSocket-Protocol", "chat"));
    }

    // RFC 9220 §3: HTTP/3 does as HTTP/2
    [Fact]
    public void Validate_ExtendedConnectOverHttp3_Accepts() =>
        WebSocketHandshake.Validate(Http2 with { HttpVersion = HttpVersion.Version30 }).StatusCode.Should().Be(200);

    [Fact]
    public void Validate_Http2WithHttp1Key_IgnoresIt() =>
        WebSocketHandshake.Validate(Http2 with { Key = "nonsense" }).IsAccepted.Should().BeTrue();

    [Fact]
    public void Validate_Default_IsNotAccepted()
    {
        default(WebSocketHandshakeResult).IsAccepted.Should().BeFalse();
        var result = WebSocketHandshake.Validate(default);
        result.IsAccepted.Should().BeFalse();
        result.StatusCode.Should().Be(405);
    }

    // RFC 6455 §4.2.1 items 3 and 4: lists of tokens, compared without case
    [Theory]
    [InlineData("websocket", "Upgrade")]
    [InlineData("WebSocket", "upgrade")]
    [InlineData("WEBSOCKET", "UPGRADE")]
    [InlineData("h2c, websocket", "keep-alive, Upgrade")]
    [InlineData("  websocket\t", "keep-alive ,\tUpgrade ,")]
    [InlineData(",,websocket", ",, ,Upgrade")]
    public void Validate_UpgradeAndConnectionSpelling_Accepts(string upgrade, string connection) =>
        WebSocketHandshake.Validate(Http1 with { Upgrade = upgrade, Connection = connection }).IsAccepted.Should().BeTrue();

    [Fact]
    public void Validate_HeadersOnSeveralLines_Accepts()
    {
        var request = Http1 with
        {
            Upgrade = new[] { "h2c", "websocket" },
            Connection = new[] { "keep-alive", null, "Upgrade" },
        };
        WebSocketHandshake.Validate(request).IsAccepted.Should().BeTrue();
    }

    [Theory]
    [InlineData("websockets")]
    [InlineData("web socket")]
    [InlineData("websoc\u212Aet")] // the Kelvin sign folds to k beyond ASCII
    [InlineData("\"websocket\"")]
    [InlineData("websocket/13")]
    [InlineData("h2c")]
    [InlineData("")]
    public void Validate_UpgradeIsNotWebSocket_Gives400(string upgrade) =>
        ShouldRefuse(Http1 with { Upgrade = upgrade }, WebSocketHandshakeError.UpgradeMissing, 400);

    [Fact]
    public void Validate_KeyWithoutUpgrade_Gives400ThatBlamesTheProxy()
    {
        var result = ShouldRefuse(Http1 with { Upgrade = default }, WebSocketHandshakeError.UpgradeMissing, 400);
        result.Reason.Should().Contain("proxy");
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("close")]
    [InlineData("keep-alive")]
    [InlineData("Upgraded")]
    [InlineData("Up grade")]
    public void Validate_ConnectionWithoutUpgrade_Gives400(string? connection) =>
        ShouldRefuse(Http1 with { Connection = connection }, WebSocketHandshakeError.ConnectionUpgradeMissing, 400);

    // RFC 9110 §15.5.22 and §7.8: 426 carries Upgrade, and Connection with it
    [Fact]
    public void Validate_OrdinaryGet_Gives426WithUpgrade()
    {
        var request = new WebSocketHandshakeRequest { Method = "GET", HttpVersion = HttpVersion.Version11, Connection = "keep-alive" };
        var result = ShouldRefuse(request, WebSocketHandshakeError.UpgradeRequired, 426);
        Headers(result).Should().Equal(("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"));
    }

    // RFC 6455 §4.2.2, §4.4
    [Theory]
    [InlineData("0")]
    [InlineData("8")]
    [InlineData("14")]
    [InlineData("013")]
    [InlineData("+13")]
    [InlineData("13.0")]
    [InlineData("255")]
    [InlineData("99999999999999999999")]
    [InlineData("\u0661\u0663")] // 13 in Arabic digits
    public void Validate_OtherVersion_Gives426WithTheVersion(string version)
    {
        var result = ShouldRefuse(Http1 with { Version = version }, WebSocketHandshakeError.VersionNotSupported, 426);
        Headers(result).Should().Equal(("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"));
    }

    // RFC 9110 §15.5.22 wants Upgrade in a 426, RFC 9113 §8.2.2 forbids it
    [Fact]
    public void Validate_OtherVersionOverHttp2_Gives400WithTheVersion()
    {
        var result = ShouldRefuse(Http2 with { Version = "8" }, WebSocketHandshakeError.VersionNotSupported, 400);
        Headers(result).Should().Equal(("Sec-WebSocket-Version", "13"));
    }

    [Fact]
    public void Validate_OtherVersionWithOtherKey_BlamesTheVersion() =>
        ShouldRefuse(Http1 with { Version = "14", Key = "nonsense" }, WebSocketHandshakeError.VersionNotSupported, 426);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(" ")]
    public void Validate_NoVersion_Gives400WithTheVersion(string? version)
    {
        var result = ShouldRefuse(Http1 with { Version = version }, WebSocketHandshakeError.VersionMissing, 400);
        Headers(result).Should().Equal(("Sec-WebSocket-Version", "13"));
        ShouldRefuse(Http2 with { Version = version }, WebSocketHandshakeError.VersionMissing, 400);
    }

    // RFC 6455 §11.3.5
    [Fact]
    public void Validate_RepeatedVersion_Gives400()
    {
        ShouldRefuse(Http1 with { Version = new[] { "13", "13" } }, WebSocketHandshakeError.VersionRepeated, 400);
        ShouldRefuse(Http1 with { Version = "13, 13" }, WebSocketHandshakeError.VersionRepeated, 400);
    }

    // RFC 6455 §4.2.1 item 5
    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ==")]
    [InlineData("\"dGhlIHNhbXBsZSBub25jZQ==\"")]
    public void Validate_InvalidKey_Gives400(string key) =>
        ShouldRefuse(Http1 with { Key = key }, WebSocketHandshakeError.KeyInvalid, 400);

    [Fact]
    public void Validate_KeyWithWhitespaceAround_Accepts() =>
        WebSocketHandshake.Validate(Http1 with { Key = $" {Key}\t" }).Accept.Should().Be("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");

    [Fact]
    public void Validate_NoKey_Gives400() => ShouldRefuse(Http1 with { Key = default }, WebSocketHandshakeError.KeyMissing, 400);

    // RFC 6455 §11.3.1
    [Fact]
    public void Validate_RepeatedKey_Gives400() =>
        ShouldRefuse(Http1 with { Key = new[] { Key, Key } }, WebSocketHandshakeError.KeyRepeated, 400);

    // RFC 6455 §4.2.1 item 1; RFC 9110 §9.1: methods are compared with case
    [Theory]
    [InlineData("POST")]
    [InlineData("HEAD")]
    [InlineData("OPTIONS")]
    [InlineData("CONNECT")]
    [InlineData("get")]
    [InlineData("")]
    public void Validate_OtherMethod_Gives405WithAllow(string method)
    {
        var result = ShouldRefuse(Http1 with { Method = method }, WebSocketHandshakeError.MethodNotAllowed, 405);
        Headers(result).Should().Equal(("Allow", "GET"));
    }

    [Fact]
    public void Validate_GetOverHttp2_Gives405WithAllow()
    {
        var result = ShouldRefuse(Http2 with { Method = "GET" }, WebSocketHandshakeError.MethodNotAllowed, 405);
        Headers(result).Should().Equal(("Allow", "CONNECT"));
    }

    // RFC 9110 §7.8: Upgrade is ignored in HTTP/1.0
    [Fact]
    public void Validate_Http10_Gives400() =>
        ShouldRefuse(Http1 with { HttpVersion = HttpVersion.Version10 }, WebSocketHandshakeError.HttpVersionTooLow, 400);

    [Fact]
    public void Validate_ConnectWithoutProtocol_Gives400() =>
        ShouldRefuse(Http2 with { Protocol = null }, WebSocketHandshakeError.ProtocolMissing, 400);

    // RFC 9220 §3
    [Fact]
    public void Validate_OtherProtocol_Gives501() =>
        ShouldRefuse(Http2 with { Protocol = "connect-udp" }, WebSocketHandshakeError.ProtocolNotSupported, 501);

    // RFC 6455 §9.1: malformed data fails the connection
    [Fact]
    public void Validate_MalformedExtensions_Gives400()
    {
        ShouldRefuse(Http1 with { Extensions = "permessage-deflate;" }, WebSocketHandshakeError.ExtensionsMalformed, 400);
        ShouldRefuse(Http2 with { Extensions = "a=b" }, WebSocketHandshakeError.ExtensionsMalformed, 400);
    }

    [Theory]
    [InlineData("constructor")]
    [InlineData("permessage-deflate; client_max_window_bits, x-unknown; y=1; y=2")]
    public void Validate_UnknownExtensions_AcceptsWithoutThem(string extensions)
    {
        var result = WebSocketHandshake.Validate(Http1 with { Extensions = extensions });
        result.IsAccepted.Should().BeTrue();
        result.Extensions.Should().BeNull();
    }

    [Fact]
    public void Validate_MalformedSubProtocols_Gives400() =>
        ShouldRefuse(Http1 with { SubProtocols = "a b" }, WebSocketHandshakeError.SubProtocolsMalformed, 400);

    [Fact]
    public void Validate_DuplicateSubProtocol_Gives400() =>
        ShouldRefuse(Http1 with { SubProtocols = "a, b, a" }, WebSocketHandshakeError.SubProtocolDuplicate, 400);

    [Fact]
    public void Validate_NoCommonSubProtocol_AcceptsWithoutOne()
    {
        var options = new WebSocketHandshakeOptions { SubProtocols = ["chat"] };
        var result = WebSocketHandshake.Validate(Http1 with { SubProtocols = "Chat, other" }, options);
        result.IsAccepted.Should().BeTrue();
        result.SubProtocol.Should().BeNull();
        Headers(result).Should().NotContain(h => h.Name == "Sec-WebSocket-Protocol");
    }

    [Fact]
    public void Validate_ValuesAboveTheLimit_Gives431()
    {
        var options = new WebSocketHandshakeOptions();
        var rest = Key.Length + "websocket".Length + "Upgrade".Length + "13".Length;
        var fits = Http1 with { SubProtocols = new string('a', options.MaxHeaderBytes - rest) };
        WebSocketHandshake.Validate(fits).IsAccepted.Should().BeTrue();

        var tooLong = new string[] { new('a', options.MaxHeaderBytes - rest), "b" };
        ShouldRefuse(Http1 with { SubProtocols = tooLong }, WebSocketHandshakeError.HeadersTooLarge, 431);
    }

    [Fact]
    public void Validate_TooManyElements_Gives431()
    {
        var many = string.Join(',', Enumerable.Range(0, 65));
        ShouldRefuse(Http1 with { SubProtocols = many }, WebSocketHandshakeError.TooManyListElements, 431);
        ShouldRefuse(Http1 with { Extensions = many }, WebSocketHandshakeError.TooManyListElements, 431);
    }

    [Fact]
    public void WriteHeaders_ReplacedProposal_WritesTheReplacement()
    {
        var result = WebSocketHandshake.Validate(Http1) with { SubProtocol = "mqtt", Extensions = "permessage-deflate" };
        Headers(result).Should().Contain(("Sec-WebSocket-Protocol", "mqtt"))
            .And.Contain(("Sec-WebSocket-Extensions", "permessage-deflate"));
    }

    [Fact]
    public void WriteHeaders_RefusalWithReplacedProposal_WritesNoNegotiation()
    {
        var result = WebSocketHandshake.Validate(Http1 with { Key = default }) with { SubProtocol = "mqtt", Extensions = "x" };
        Headers(result).Should().BeEmpty();
    }

    [Fact]
    public void Describe_EveryError_IsDistinct()
    {
        var errors = Enum.GetValues<WebSocketHandshakeError>();
        var sentences = errors.Select(WebSocketHandshake.Describe).ToArray();
        sentences.Should().OnlyHaveUniqueItems().And.HaveCount(errors.Length);
        sentences.Should().NotContain("The WebSocket handshake failed.");
    }

    private static WebSocketHandshakeResult ShouldRefuse(
        in WebSocketHandshakeRequest request, WebSocketHandshakeError error, int status)
    {
        var result = WebSocketHandshake.Validate(request);
        result.IsAccepted.Should().BeFalse();
        result.Error.Should().Be(error);
        result.StatusCode.Should().Be(status);
        result.Reason.Should().NotBeEmpty();
        result.Accept.Should().BeNull();
        return result;
    }

    private static List<(string Name, string Value)> Headers(WebSocketHandshakeResult result)
    {
        var headers = new List<(string, string)>();
        result.WriteHeaders(headers, static (list, name, value) => list.Add((name, value)));
        return headers;
    }
}
