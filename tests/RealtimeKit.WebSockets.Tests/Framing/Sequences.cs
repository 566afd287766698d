using System.Buffers;

namespace RealtimeKit.WebSockets.Tests.Framing;

/// <summary>Sequences of several segments, as a pipe would give them.</summary>
internal static class Sequences
{
    /// <summary>Every way to part the bytes in two, an empty segment between them, and the way of one byte a segment.</summary>
    public static IEnumerable<ReadOnlySequence<byte>> EverySplit(byte[] bytes)
    {
        for (var at = 0; at <= bytes.Length; at++)
            yield return Create(bytes[..at], [], bytes[at..]);
        yield return Create([.. bytes.Select(b => new[] { b })]);
    }

    /// <summary>One segment for each array. Empty arrays stay empty segments.</summary>
    public static ReadOnlySequence<byte> Create(params byte[][] parts) => Join([.. parts.Select(part => (ReadOnlyMemory<byte>)part)]);

    /// <summary>One segment for each piece of memory.</summary>
    public static ReadOnlySequence<byte> Join(params ReadOnlyMemory<byte>[] parts)
    {
        if (parts.Length == 0)
            return default;
        var first = new Segment(parts[0], 0);
        var last = first;
        foreach (var part in parts.AsSpan(1))
            last = last.Append(part);
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    /// <summary>Parts the bytes at random places.</summary>
    public static ReadOnlySequence<byte> Random(byte[] bytes, Random random)
    {
        var parts = new List<byte[]>();
        for (var at = 0; at < bytes.Length;)
        {
            var length = Math.Min(bytes.Length - at, random.Next(random.Next(3) == 0 ? 1 : 64));
            parts.Add(bytes[at..(at + length)]);
            at += length;
        }

        return Create([.. parts]);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, long runningIndex)
        {
            Memory = memory;
            RunningIndex = runningIndex;
        }

        public Segment Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Segment(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
