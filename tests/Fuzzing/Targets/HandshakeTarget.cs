using System.Net;
using System.Security.Cryptography;
using System.Text;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Fuzzing;

internal sealed class HandshakeTarget : FuzzTarget
{
    private static readonly WebSocketHandshakeOptions Options = new() { SubProtocols = ["chat", "json.webpubsub.azure.v1"] };
    private static readonly WebSocketClientHandshake Client = new(Options, "permessage-deflate, x-other");
    private static readonly string Accept = AcceptOf(Client.Key);

    public override string Name => "handshake";

    public override string Description => "Requests and responses of the opening handshake against plain rules (RFC 6455 §4, RFC 8441 §5), and origins: nothing throws, nothing wrong is accepted.";

    public override IReadOnlyList<byte[]> Dictionary { get; } =
    [
        .. ((string[])["C:Upgrade", "U:websocket", "K:dGhlIHNhbXBsZSBub25jZQ==", "V:13", "V:8, 13", "P:chat", "P:a, b", "E:permessage-deflate", "O:http://example.com", "O:null", "H:example.com",
            "\n", ", ", "keep-alive, Upgrade", "WebSocket", "\t", " ", "=", "http://", "https://", ":80", ":443", ":0", "[::1]", "@", "/", "é", "\0", "\u212A", "json.webpubsub.azure.v1", "A:", "S:"]).Select(Encoding.Latin1.GetBytes),
        Encoding.Latin1.GetBytes("A:" + "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
    ];

    public override void Run(ReadOnlySpan<byte> input)
    {
        var settings = new FuzzInput(input);
        var flags = settings.Byte();
        var lines = Encoding.Latin1.GetString(settings.Rest).Split('\n');
        string[] Values(char name) => [.. lines.Where(line => line.Length > 1 && line[0] == name && line[1] == ':').Select(static line => line[2..].Replace("{accept}", Accept, StringComparison.Ordinal))];
        CheckRequest(flags, Values);
        CheckResponse(flags, Values);
        CheckOrigin(Values('O').FirstOrDefault(), Values('H').FirstOrDefault() ?? "example.com", (flags & 8) != 0 ? "https" : "http");
    }

    public override byte[] Generate(FuzzRandom random)
    {
        var lines = new List<string>
        {
            random.Pick(["C:Upgrade", "C:keep-alive, Upgrade", "C:close"]), random.Pick(["U:websocket", "U:h2c, WebSocket", "U:WebSocket"]),
            random.Pick(["K:dGhlIHNhbXBsZSBub25jZQ==", "K:dGhlIHNhbXBsZSBub25jZQ=", "K: AAAAAAAAAAAAAAAAAAAAAA== "]), random.Pick(["V:13", "V: 13 ", "V:8"]),
            random.Pick(["P:chat", "P:a, chat, b", "P:chat,chat", "P:"]), random.Pick(["E:permessage-deflate; client_max_window_bits", "E:x-other", "E:;"]),
            random.Pick(["A:{accept}", "A:" + "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="]), random.Pick(["O:http://example.com", "O:https://example.com:443", "O:http://evil.example", "O:null"]), random.Pick(["H:example.com", "H:example.com:80", "H:[::1]:5000"]),
        };
        return [(byte)(random.NextByte() & (random.Once(2) ? 0x38 : 0xFF)), .. Encoding.Latin1.GetBytes(string.Join('\n', lines.Where(_ => !random.Once(5))))];
    }

    private static void CheckRequest(byte flags, Func<char, string[]> values)
    {
        var isHttp2 = (flags & 1) != 0;
        var request = new WebSocketHandshakeRequest
        {
            Method = (flags & 2) == 0 ? isHttp2 ? "CONNECT" : "GET" : "POST",
            HttpVersion = isHttp2 ? HttpVersion.Version20 : (flags & 4) == 0 ? HttpVersion.Version11 : HttpVersion.Version10,
            Protocol = isHttp2 && (flags & 16) == 0 ? "websocket" : null,
            Connection = values('C'),
            Upgrade = values('U'),
            Key = values('K'),
            Version = values('V'),
            SubProtocols = values('P'),
            Extensions = values('E'),
        };
        var result = WebSocketHandshake.Validate(request, Options);
        var extensions = PlainExtensions.Read(values('E'), 64);
        var names = values('P').SelectMany(static line => line.Split(',')).Select(static name => name.Trim(' ', '\t')).ToArray();
        var used = names.Where(static name => name.Length > 0).ToArray();
        var isAccepted = (flags & 2) == 0
            && (isHttp2 ? (flags & 16) == 0
                : (flags & 4) == 0 && HasToken(values('U'), "websocket") && HasToken(values('C'), "upgrade") && values('K') is [var key] && IsKey(key.Trim(' ', '\t')))
            && values('V') is [var version] && version.Trim(' ', '\t') == "13"
            && (values('P').Length == 0 || (used.Length > 0 && used.All(static name => name.All(PlainExtensions.IsTokenCharacter)) && used.Distinct().Count() == used.Length && names.Length <= 64))
            && extensions.Error == WebSocketHandshakeError.None;
        Oracle.Equal(isAccepted, result.IsAccepted, "acceptance");
        Oracle.Equal(isAccepted, result.Error == WebSocketHandshakeError.None, "error");
        Oracle.That(isAccepted == (result.StatusCode is 101 or 200) && (isAccepted || result.StatusCode is >= 400 and <= 501), $"status {result.StatusCode}");
        Oracle.Equal(isAccepted ? used.FirstOrDefault(static name => name is "chat" or "json.webpubsub.azure.v1") : null, result.SubProtocol, "subprotocol");
        if (isAccepted && !isHttp2)
            Oracle.Equal(AcceptOf(values('K')[0].Trim(' ', '\t')), result.Accept, "accept");
        result.WriteHeaders(0, static (_, name, value) => Oracle.That(name.Length > 0 && !value.AsSpan().ContainsAny('\r', '\n'), "a header that splits the response"));
    }

    private static void CheckResponse(byte flags, Func<char, string[]> values)
    {
        var isHttp2 = (flags & 1) != 0;
        var response = new WebSocketHandshakeResponse
        {
            HttpVersion = isHttp2 ? HttpVersion.Version20 : HttpVersion.Version11,
            StatusCode = (flags & 32) != 0 ? 400 : isHttp2 ? 200 : 101,
            Connection = values('C'),
            Upgrade = values('U'),
            Accept = values('A'),
            SubProtocol = values('P'),
            Extensions = values('E'),
        };
        var error = Client.Validate(response, out var subProtocol);
        var extensions = PlainExtensions.Read(values('E'), 64);
        var isAccepted = (flags & 32) == 0
            && (isHttp2 || (values('U') is [var upgrade] && EqualsAscii(upgrade.Trim(' ', '\t'), "websocket") && HasToken(values('C'), "upgrade")
                && values('A') is [var accept] && accept.Trim(' ', '\t') == Accept))
            && (values('P').Length == 0 || (values('P') is [var name] && name.Trim(' ', '\t') is "chat" or "json.webpubsub.azure.v1"))
            && values('E').Length <= 1 && extensions.Error == WebSocketHandshakeError.None && extensions.List.All(static extension => extension.Name is "permessage-deflate" or "x-other");
        isAccepted &= values('P').Length <= 1;
        Oracle.Equal(isAccepted, error == WebSocketHandshakeError.None, $"response: {error}");
        Oracle.Equal(isAccepted && values('P').Length == 1 ? values('P')[0].Trim(' ', '\t') : null, subProtocol, "the response's subprotocol");
    }

    // Only what is scheme, host and port alike is the same origin (RFC 6454 §5).
    private static void CheckOrigin(string? origin, string host, string scheme)
    {
        var claim = new OriginClaim(origin is not null, origin, scheme, host);
        var isAllowed = OriginRules.SameOrigin.IsAllowed(claim);
        if (origin is null)
        {
            Oracle.That(isAllowed && !OriginRules.SameOrigin.RequireOrigin().IsAllowed(claim), "a missing origin");
            return;
        }

        var expected = Parts(origin) is { } left && Parts(scheme + "://" + host) is { } right && left == right;
        Oracle.Equal(expected, isAllowed, $"origin {origin} at {scheme}://{host}");
        Oracle.That(OriginRules.Any.IsAllowed(claim), "any origin");
        Oracle.Equal(Parts(origin) == ("https", "app.example", 443), OriginRules.Only(["https://app.example"]).IsAllowed(claim), "a listed origin");
    }

    private static (string Scheme, string Host, int Port)? Parts(string origin)
    {
        var at = origin.IndexOf("://", StringComparison.Ordinal);
        if (at < 1 || !char.IsAsciiLetter(origin[0]) || origin.AsSpan(0, at).ContainsAny("/?#@ "))
            return null;
        var (scheme, rest) = (origin[..at].ToLowerInvariant(), origin[(at + 3)..]);
        var end = rest.StartsWith('[') ? rest.IndexOf(']', StringComparison.Ordinal) + 1 : rest.IndexOf(':', StringComparison.Ordinal);
        if (end == 0 || (end < 0 && rest.Length == 0))
            return null;
        var (host, port) = end < 0 ? (rest, "") : (rest[..end], rest[end..]);
        var isHost = host.StartsWith('[')
            ? host.Length > 2 && host[1..^1].All(static c => char.IsAsciiHexDigit(c) || c is ':' or '.')
            : host.All(static c => char.IsAsciiLetterOrDigit(c) || "-._~!$&'()+,;=%".Contains(c, StringComparison.Ordinal));
        if (!isHost)
            return null;
        if (port.Length == 0)
            return (scheme, host.ToLowerInvariant(), scheme switch { "http" => 80, "https" => 443, _ => 0 });
        return port[0] == ':' && port.Length > 1 && port[1..].All(char.IsAsciiDigit) && System.Numerics.BigInteger.Parse(port[1..]) is var number && number > 0 && number < 65536
            ? (scheme, host.ToLowerInvariant(), (int)number)
            : null;
    }

    private static bool HasToken(string[] lines, string token) =>
        lines.SelectMany(static line => line.Split(',')).Any(element => EqualsAscii(element.Trim(' ', '\t'), token));

    private static bool EqualsAscii(string left, string right) => left.Length == right.Length && left.All(char.IsAscii) && string.Equals(left, right, StringComparison.OrdinalIgnoreCase);

    private static bool IsKey(string key) => key.Length == 24 && key.EndsWith("==", StringComparison.Ordinal) && key[..22].All(static c => char.IsAsciiLetterOrDigit(c) || c is '+' or '/');

    private static string AcceptOf(string key)
    {
#pragma warning disable CA5350 // RFC 6455 §1.3 names SHA-1
        return Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
#pragma warning restore CA5350
    }
}
