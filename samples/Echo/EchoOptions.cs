using System.Globalization;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using RealtimeKit.AspNetCore;

namespace RealtimeKit.Samples.Echo;

/// <summary>The command line.</summary>
internal sealed class EchoOptions
{
    public int Port { get; private set; } = 5080;

    public string Host { get; private set; } = "kestrel";

    public bool Https { get; private set; }

    public HttpProtocols Protocols { get; private set; } = HttpProtocols.None;

    public string Compression { get; private set; } = "off";

    public string[] SubProtocols { get; private set; } = [];

    public int MaxMessage { get; private set; } = 64 * 1024 * 1024;

    public bool Stats { get; private set; }

    /// <summary>Reads the flags.</summary>
    /// <exception cref="FormatException">A flag is unknown, lacks its value, or asks for what this program cannot do.</exception>
    public static EchoOptions Parse(string[] args)
    {
        var options = new EchoOptions();
        var flags = new Queue<string>(args);
        while (flags.TryDequeue(out var flag))
            options.Read(flag, flags);
        options.Check();
        return options;
    }

    private void Read(string flag, Queue<string> rest)
    {
        switch (flag)
        {
            case "--port":
                Port = Number(flag, rest, 0, ushort.MaxValue);
                break;
            case "--host":
                Host = OneOf(flag, rest, "kestrel", "httplistener");
                break;
            case "--https":
                Https = true;
                break;
            case "--http1":
                Protocols |= HttpProtocols.Http1;
                break;
            case "--http2":
                Protocols |= HttpProtocols.Http2;
                break;
            case "--compression":
                Compression = OneOf(flag, rest, "off", "on", "takeover");
                break;
            case "--subprotocols":
                SubProtocols = Names(flag, rest);
                break;
            case "--max-message":
                MaxMessage = Number(flag, rest, 1, 1 << 30);
                break;
            case "--stats":
                Stats = true;
                break;
            default:
                throw new FormatException($"unknown flag {flag}");
        }
    }

    private void Check()
    {
        if (Host == "httplistener" && (Https || Protocols.HasFlag(HttpProtocols.Http2) || Compression != "off"))
            throw new FormatException("--host httplistener speaks HTTP/1.1 in the clear and does not compress: no --https, --http2 or --compression");
        if (Protocols == HttpProtocols.Http1AndHttp2 && !Https)
            throw new FormatException("--http1 with --http2 needs --https: without ALPN a port speaks one of them");
        if (Protocols == HttpProtocols.None)
            Protocols = Https ? HttpProtocols.Http1AndHttp2 : HttpProtocols.Http1;
    }

    private static string Value(string flag, Queue<string> rest) =>
        rest.TryDequeue(out var value) && !value.StartsWith("--", StringComparison.Ordinal) ? value : throw new FormatException($"{flag} needs a value");

    private static string OneOf(string flag, Queue<string> rest, params string[] known)
    {
        var value = Value(flag, rest);
        return known.Contains(value) ? value : throw new FormatException($"{flag} is one of {string.Join(", ", known)}");
    }

    private static string[] Names(string flag, Queue<string> rest)
    {
        var names = Value(flag, rest).Split(',');
        try
        {
            _ = new WebSocketEndpointOptions { SubProtocols = names };
            return names;
        }
        catch (ArgumentException)
        {
            throw new FormatException($"{flag} is a list of tokens, each once, like a,b");
        }
    }

    private static int Number(string flag, Queue<string> rest, int minimum, int maximum) =>
        int.TryParse(Value(flag, rest), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= minimum && number <= maximum
            ? number
            : throw new FormatException($"{flag} is a number from {minimum} to {maximum}");
}
