using System.Buffers;

namespace RealtimeKit.WebSockets;

/// <summary>One connection's side of an agreement on permessage-deflate.</summary>
internal sealed class PerMessageDeflateSession : IDisposable
{
    // Below this nothing is ever a bomb, and small messages of one repeated byte are honest.
    private const int RatioFloor = 64 * 1024;

    private readonly int _maxRatio;
    private DeflateEncoder? _encoder;

    public PerMessageDeflateSession(in PerMessageDeflateParameters parameters, PerMessageDeflateOptions options, bool isServer)
    {
        var (ownTakeover, ownBits) = (parameters.ServerContextTakeover, parameters.ServerMaxWindowBits);
        var (peerTakeover, peerBits) = (parameters.ClientContextTakeover, parameters.ClientMaxWindowBits);
        if (!isServer)
            (ownTakeover, ownBits, peerTakeover, peerBits) = (peerTakeover, peerBits, ownTakeover, ownBits);
        TakesOver = ownTakeover;
        WindowBits = ownBits;
        Decoder = new DeflateDecoder(peerBits, peerTakeover);
        MinimumSize = options.MinimumSize;
        _maxRatio = options.MaxInflateRatio;
    }

    /// <summary>Whether what is sent refers to earlier messages: then compressing is part of the order in which they are sent.</summary>
    public bool TakesOver { get; }

    /// <summary>How much memory it holds: the windows of context takeover, and what a message in progress has borrowed.</summary>
    public long Retained => Decoder.Retained + (_encoder?.Retained ?? 0);

    /// <summary>How far what is sent looks back.</summary>
    public int WindowBits { get; }

    /// <summary>The smallest message to be compressed.</summary>
    public int MinimumSize { get; }

    /// <summary>What inflates the messages received.</summary>
    public DeflateDecoder Decoder { get; }

    /// <summary>How many bytes a message may inflate to after so many on the wire.</summary>
    public long MaxInflated(long received) => _maxRatio == 0 ? long.MaxValue : Math.Max(RatioFloor, received * _maxRatio);

    /// <summary>Compresses a message without context takeover.</summary>
    /// <returns>False: it does not become smaller, and nothing is written.</returns>
    public static bool TryCompress(ReadOnlySpan<byte> message, PooledBufferWriter output, int windowBits)
    {
        var length = DeflateEncoder.Compress(message, output.GetSpan(DeflateEncoder.GetMaxCompressedLength(message.Length)), windowBits);
        if (length >= message.Length)
            return false;
        output.Advance(length);
        return true;
    }

    /// <summary>Compresses the next message under context takeover; it must be sent, and in this order.</summary>
    public void CompressNext(ReadOnlySpan<byte> message, PooledBufferWriter output)
    {
        _encoder ??= new DeflateEncoder(WindowBits);
        output.Advance(_encoder.CompressNext(message, output.GetSpan(DeflateEncoder.GetMaxCompressedLength(message.Length))));
    }

    /// <summary>Gives back what receiving holds. What sending holds is left to the collector, as a send may still run.</summary>
    public void Dispose() => Decoder.Dispose();
}
