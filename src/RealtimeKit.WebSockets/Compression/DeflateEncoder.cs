namespace RealtimeKit.WebSockets;

/// <summary>
/// Compresses whole messages for permessage-deflate (RFC 7692 §7.2.1): raw DEFLATE blocks (RFC 1951), an empty stored block at the
/// end, and its last four bytes 00 00 FF FF left out.
/// </summary>
/// <remarks>
/// Sends always have the whole message at hand, so there is one call for each and no state between calls but the history of context
/// takeover. Without takeover there is no object at all: the tables belong to the thread.
/// </remarks>
internal sealed class DeflateEncoder
{
    // Behind the history, so that the window moves once for as many bytes.
    private const int SmallestRoom = 4096;

    [ThreadStatic]
    private static DeflateBlock? _block;

    [ThreadStatic]
    private static DeflateMatcher? _matcherWithoutTakeover;

    private readonly int _windowSize;
    private readonly DeflateMatcher _matcher;
    private readonly byte[] _window;
    private int _filled;

    /// <summary>Begins a compression with context takeover.</summary>
    /// <param name="windowBits">How far the peer can look back, as a power of two: 8–15 (RFC 7692 §7.1.2).</param>
    public DeflateEncoder(int windowBits)
    {
        _windowSize = 1 << windowBits;
        _matcher = new DeflateMatcher(windowBits);
        _matcher.Begin(_windowSize * 2, windowBits, hasHistory: true);
        _window = new byte[_windowSize + Math.Max(_windowSize / 2, SmallestRoom)];
    }

    /// <summary>How much memory it holds.</summary>
    public int Retained => _matcher.Retained + _window.Length;

    /// <summary>The most bytes that a message can take, with the room that the writer needs behind it.</summary>
    public static int GetMaxCompressedLength(int length) =>
        checked(length + ((length / DeflateBlock.Capacity + 2) * DeflateBlock.StoredOverhead) + DeflateBitWriter.Slack);

    /// <summary>Compresses a message without context takeover.</summary>
    /// <param name="message">The message.</param>
    /// <param name="destination">Has <see cref="GetMaxCompressedLength"/> bytes.</param>
    /// <param name="windowBits">How far the peer can look back, as a power of two: 8–15.</param>
    /// <returns>The number of bytes written.</returns>
    public static int Compress(ReadOnlySpan<byte> message, Span<byte> destination, int windowBits)
    {
        var matcher = _matcherWithoutTakeover ??= new DeflateMatcher(15);
        matcher.Begin(message.Length, windowBits, hasHistory: false);
        var output = new DeflateBitWriter(destination);
        var block = TakeBlock();
        var written = 0;
        matcher.Parse(message, 0, message, 0, ref written, block, ref output);
        return Finish(ref output, block, message[written..]);
    }

    /// <summary>Compresses a message with context takeover: what is written must reach the peer, and in this order.</summary>
    /// <param name="message">The message.</param>
    /// <param name="destination">Has <see cref="GetMaxCompressedLength"/> bytes.</param>
    /// <returns>The number of bytes written.</returns>
    public int CompressNext(ReadOnlySpan<byte> message, Span<byte> destination)
    {
        var output = new DeflateBitWriter(destination);
        var block = TakeBlock();
        var written = 0;
        for (var offset = 0; offset < message.Length;)
        {
            MakeRoom(message.Length - offset);
            var count = Math.Min(message.Length - offset, _window.Length - _filled);
            message.Slice(offset, count).CopyTo(_window.AsSpan(_filled));
            _matcher.Parse(_window.AsSpan(0, _filled + count), _filled, message, offset, ref written, block, ref output);
            _filled += count;
            offset += count;
        }

        return Finish(ref output, block, message[written..]);
    }

    private void MakeRoom(int wanted)
    {
        if (_window.Length - _filled >= wanted || _filled <= _windowSize)
            return;
        var moved = _filled - _windowSize;
        _window.AsSpan(moved, _windowSize).CopyTo(_window);
        _filled = _windowSize;
        _matcher.MoveWindow(moved, _window.Length);
    }

    // RFC 7692 §7.2.1: the header of an empty stored block, whose lengths 00 00 FF FF are left out. An empty message is that alone: 00.
    private static int Finish(ref DeflateBitWriter output, DeflateBlock block, ReadOnlySpan<byte> rest)
    {
        if (!block.IsEmpty)
            block.Write(ref output, rest);
        output.Write(0, 3);
        output.Align();
        _block = block;
        return output.Length;
    }

    // Given back once it is empty again: should compressing ever fail, the next message does not find what it left behind.
    private static DeflateBlock TakeBlock()
    {
        var block = _block ?? new DeflateBlock();
        _block = null;
        return block;
    }
}
