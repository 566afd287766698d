namespace RealtimeKit.WebSockets;

/// <summary>
/// What both sides have agreed on (RFC 7692 §7.1). The default value is an agreement without any parameter but
/// <c>server_no_context_takeover</c> and <c>client_no_context_takeover</c>.
/// </summary>
public readonly record struct PerMessageDeflateParameters
{
    internal const int MinWindowBits = 8;
    internal const int MaxWindowBits = 15;

    // Counted down, so that the default value is the largest window.
    private readonly byte _serverBitsLess;
    private readonly byte _clientBitsLess;

    /// <summary>Whether the server refers to its earlier messages (RFC 7692 §7.1.1.1).</summary>
    public bool ServerContextTakeover { get; init; }

    /// <summary>Whether the client refers to its earlier messages (RFC 7692 §7.1.1.2).</summary>
    public bool ClientContextTakeover { get; init; }

    /// <summary>How far the server looks back, as a power of two from 8 to 15 (RFC 7692 §7.1.2.1).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not between 8 and 15.</exception>
    public int ServerMaxWindowBits
    {
        get => MaxWindowBits - _serverBitsLess;
        init => _serverBitsLess = BitsLess(value);
    }

    /// <summary>How far the client looks back, as a power of two from 8 to 15 (RFC 7692 §7.1.2.2).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not between 8 and 15.</exception>
    public int ClientMaxWindowBits
    {
        get => MaxWindowBits - _clientBitsLess;
        init => _clientBitsLess = BitsLess(value);
    }

    /// <summary>What two sides with the same options agree on.</summary>
    internal static PerMessageDeflateParameters From(PerMessageDeflateOptions options) => new()
    {
        ServerContextTakeover = options.ServerContextTakeover,
        ClientContextTakeover = options.ClientContextTakeover,
        ServerMaxWindowBits = options.ServerMaxWindowBits,
        ClientMaxWindowBits = options.ClientMaxWindowBits,
    };

    private static byte BitsLess(int bits)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bits, MinWindowBits);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bits, MaxWindowBits);
        return (byte)(MaxWindowBits - bits);
    }
}
