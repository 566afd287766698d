namespace RealtimeKit.WebSockets;

/// <summary>Limits and subprotocols of the opening handshake, for a server or a client. Not to be changed while in use.</summary>
public sealed class WebSocketHandshakeOptions
{
    internal static readonly WebSocketHandshakeOptions Default = new();

    private int _maxHeaderBytes = 16 * 1024;
    private int _maxListElements = 64;
    private string[] _subProtocols = [];

    /// <summary>
    /// The most characters that the values of the handshake's own headers may have together, over all their lines.
    /// Default: 16,384. The limit on all headers of a request is the HTTP server's.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int MaxHeaderBytes
    {
        get => _maxHeaderBytes;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
            _maxHeaderBytes = value;
        }
    }

    /// <summary>
    /// The most elements of one list header over all its lines, empty elements and extension parameters included.
    /// Default: 64.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int MaxListElements
    {
        get => _maxListElements;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
            _maxListElements = value;
        }
    }

    /// <summary>
    /// The subprotocols that a server knows, or that a client offers in the order of its preference. Default: none.
    /// Names are compared with case (RFC 6455 §4.2.2). The list is copied.
    /// </summary>
    /// <exception cref="ArgumentNullException">The value is <see langword="null"/>.</exception>
    /// <exception cref="ArgumentException">A name is not a token, or stands twice (RFC 6455 §4.1 item 10).</exception>
    public IReadOnlyList<string> SubProtocols
    {
        get => _subProtocols;
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            var copy = new string[value.Count];
            var seen = new HashSet<string>(StringComparer.Ordinal);
            for (var i = 0; i < copy.Length; i++)
            {
                copy[i] = value[i];
                if (!HttpGrammar.IsToken(copy[i]))
                    throw new ArgumentException("A subprotocol must be an HTTP token (RFC 9110 §5.6.2).", nameof(value));
                if (!seen.Add(copy[i]))
                    throw new ArgumentException("A subprotocol must be named once (RFC 6455 §4.1).", nameof(value));
            }
            _subProtocols = copy;
        }
    }

    internal WebSocketHandshakeOptions Clone() => (WebSocketHandshakeOptions)MemberwiseClone();
}
