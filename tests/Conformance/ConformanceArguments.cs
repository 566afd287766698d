namespace RealtimeKit.Conformance;

/// <summary>What the command line asks for.</summary>
internal sealed record ConformanceArguments(Uri Server, string Agent, string Compression)
{
    private const string Usage = "usage: autobahn-client ws://HOST:PORT AGENT [--compression on|takeover]";

    /// <exception cref="FormatException">The command line is not understood; the message is for the user.</exception>
    public static ConformanceArguments Parse(string[] args)
    {
        if (args is not ["autobahn-client", var address, var agent, .. var flags] || agent.StartsWith("--", StringComparison.Ordinal))
            throw new FormatException(Usage);
        if (!Uri.TryCreate(address, UriKind.Absolute, out var server) || server.Scheme is not ("ws" or "wss"))
            throw new FormatException($"{address} is not the address of a WebSocket server. {Usage}");
        return flags switch
        {
            [] or ["--compression", "off"] => new ConformanceArguments(server, agent, "off"),
            ["--compression", "on" or "takeover"] => new ConformanceArguments(server, agent, flags[1]),
            _ => throw new FormatException(Usage),
        };
    }
}
