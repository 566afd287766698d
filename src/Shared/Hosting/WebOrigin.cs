using System.Buffers;
using System.Globalization;

namespace RealtimeKit;

/// <summary>An origin (RFC 6454 §4): scheme, host and port, as slices of the header it stood in.</summary>
internal readonly ref struct WebOrigin
{
    // Host characters of RFC 3986 §3.2.2 as browsers serialise them; brackets and colons only within an IPv6 literal.
    private static readonly SearchValues<char> NameChars =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()+,;=%");

    private static readonly SearchValues<char> AddressChars = SearchValues.Create("0123456789ABCDEFabcdef:.");

    private readonly ReadOnlySpan<char> _scheme;
    private readonly ReadOnlySpan<char> _host;
    private readonly int _port;

    private WebOrigin(ReadOnlySpan<char> scheme, ReadOnlySpan<char> host, int port)
    {
        _scheme = scheme;
        _host = host;
        _port = port;
    }

    /// <summary>The origin under which a request arrived; one that equals nothing where its host is missing or malformed.</summary>
    public static WebOrigin Of(ReadOnlySpan<char> scheme, ReadOnlySpan<char> host) =>
        TryParseAuthority(scheme, host, out var origin) ? origin : default;

    /// <summary>Parses what stands in an <c>Origin</c> header; the opaque <c>null</c> is not an origin.</summary>
    public static bool TryParse(ReadOnlySpan<char> value, out WebOrigin origin)
    {
        origin = default;
        var end = value.IndexOf("://");
        return end > 0 && char.IsAsciiLetter(value[0]) && !value[..end].ContainsAny("/?#@ ")
            && TryParseAuthority(value[..end], value[(end + 3)..], out origin);
    }

    public bool Equals(WebOrigin other) =>
        !_host.IsEmpty && _port == other._port
        && _scheme.Equals(other._scheme, StringComparison.OrdinalIgnoreCase)
        && _host.Equals(other._host, StringComparison.OrdinalIgnoreCase);

    private static bool TryParseAuthority(ReadOnlySpan<char> scheme, ReadOnlySpan<char> authority, out WebOrigin origin)
    {
        origin = default;
        var hostLength = authority.StartsWith('[') ? authority.IndexOf(']') + 1 : authority.IndexOf(':');
        if (hostLength < 0)
            hostLength = authority.Length;
        var host = authority[..hostLength];
        if (!IsHost(host) || !TryParsePort(scheme, authority[hostLength..], out var port))
            return false;
        origin = new WebOrigin(scheme, host, port);
        return true;
    }

    private static bool IsHost(ReadOnlySpan<char> host) => host.StartsWith('[')
        ? host.Length > 2 && !host[1..^1].ContainsAnyExcept(AddressChars)
        : !host.IsEmpty && !host.ContainsAnyExcept(NameChars);

    private static bool TryParsePort(ReadOnlySpan<char> scheme, ReadOnlySpan<char> rest, out int port)
    {
        if (!rest.IsEmpty)
            return int.TryParse(rest[1..], NumberStyles.None, CultureInfo.InvariantCulture, out port)
                && rest[0] == ':' && rest[^1] != '\0'   // which the BCL overlooks behind a number
                && port is > 0 and <= ushort.MaxValue;
        port = scheme switch
        {
            _ when scheme.Equals("http", StringComparison.OrdinalIgnoreCase) => 80,
            _ when scheme.Equals("https", StringComparison.OrdinalIgnoreCase) => 443,
            _ => 0,   // browser extensions and apps have schemes of their own, without ports
        };
        return true;
    }
}
