using System.Runtime.CompilerServices;

namespace RealtimeKit.WebSockets;

/// <summary>
/// What this endpoint wants of permessage-deflate (RFC 7692). Compression is off unless such options are set, and the defaults keep
/// nothing in memory between messages. Every value is validated where it is set.
/// </summary>
/// <remarks>
/// <para>Compressing secrets together with what an attacker can choose tells the attacker about the secrets by the size of the
/// result (CRIME, BREACH). Send such messages with <see cref="System.Net.WebSockets.WebSocketMessageFlags.DisableCompression"/>.</para>
/// <para>Memory: without context takeover a connection holds none while it is idle. A message that arrives in several reads borrows
/// 41 KiB until it is complete. With context takeover a connection keeps, from the first compressed message on, 2^bits bytes for
/// receiving and, for sending, 192 KiB at 15 bits, 136 KiB at 14, 48 KiB at 12 and 10 KiB at 9.</para>
/// </remarks>
public sealed class PerMessageDeflateOptions
{
    /// <summary>
    /// Whether the server may refer to its earlier messages (RFC 7692 §7.1.1.1), which makes small messages of one kind smaller at the
    /// price of memory on both sides. Default: <see langword="false"/>.
    /// </summary>
    public bool ServerContextTakeover { get; set; }

    /// <summary>
    /// Whether the client may refer to its earlier messages (RFC 7692 §7.1.1.2). A server answers a client that does not let it limit
    /// the window to <see cref="ClientMaxWindowBits"/> without it. Default: <see langword="false"/>.
    /// </summary>
    public bool ClientContextTakeover { get; set; }

    /// <summary>How far the server may look back, as a power of two from 8 to 15 (RFC 7692 §7.1.2.1). Default: 15, 32 KiB.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not between 8 and 15.</exception>
    public int ServerMaxWindowBits { get; set => field = WindowBits(value); } = PerMessageDeflateParameters.MaxWindowBits;

    /// <summary>How far the client may look back, as a power of two from 8 to 15 (RFC 7692 §7.1.2.2). Default: 15, 32 KiB.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not between 8 and 15.</exception>
    public int ClientMaxWindowBits { get; set => field = WindowBits(value); } = PerMessageDeflateParameters.MaxWindowBits;

    /// <summary>The smallest message that is compressed when it is sent, in bytes: below it there is little to gain. Default: 128.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int MinimumSize
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
        }
    } = 128;

    /// <summary>
    /// How many times its size on the wire a received message may have beyond its first 64 KiB. More fails the connection with 1009
    /// while it is being inflated. 0 turns this limit off; those on the size of a message remain. Default: 100.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int MaxInflateRatio
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
        }
    } = 100;

    internal PerMessageDeflateOptions Clone() => (PerMessageDeflateOptions)MemberwiseClone();

    private static int WindowBits(int value, [CallerMemberName] string name = "")
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, PerMessageDeflateParameters.MinWindowBits, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, PerMessageDeflateParameters.MaxWindowBits, name);
        return value;
    }
}
