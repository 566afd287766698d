namespace RealtimeKit.WebSockets;

/// <summary>What a client offers in its opening handshake, and what it is answered, while both can still be decided. Not thread-safe.</summary>
public sealed class WebSocketOffer
{
    internal WebSocketOffer(in WebSocketHeaderValues offered, int maxElements, string? subProtocol)
    {
        var names = new List<string>();
        var reader = new WebSocketSubProtocolReader(offered, maxElements);
        while (reader.Read())
            names.Add(reader.Current.ToString());
        SubProtocols = names;
        SubProtocol = subProtocol;
    }

    /// <summary>The subprotocols that the client offers, in the order of its preference, each once; they are its word, known to the server or not.</summary>
    public IReadOnlyList<string> SubProtocols { get; }

    /// <summary>
    /// The subprotocol to answer with: at first the first of the client's that the endpoint knows. Any of <see cref="SubProtocols"/> may be
    /// chosen instead; <see langword="null"/> answers with none (RFC 6455 §4.2.2 item 5).
    /// </summary>
    /// <exception cref="ArgumentException">The client does not offer it: it would have to fail the connection (RFC 6455 §4.1).</exception>
    public string? SubProtocol
    {
        get;
        set
        {
            if (value is not null && !SubProtocols.Contains(value, StringComparer.Ordinal))
                throw new ArgumentException("The client does not offer this subprotocol (RFC 6455 §4.1).", nameof(value));
            field = value;
        }
    }
}
