using System.Buffers;

namespace RealtimeKit.ServerSentEvents.Tests;

/// <summary>Makes sequences of several segments.</summary>
internal static class Sequences
{
    public static ReadOnlySequence<byte> Cut(ReadOnlyMemory<byte> bytes, int segmentSize)
    {
        var parts = new List<ReadOnlyMemory<byte>>();
        for (var start = 0; start < bytes.Length; start += segmentSize)
            parts.Add(bytes.Slice(start, Math.Min(segmentSize, bytes.Length - start)));
        return Join(parts);
    }

    public static ReadOnlySequence<byte> Join(IReadOnlyList<ReadOnlyMemory<byte>> parts)
    {
        if (parts.Count == 0)
            return ReadOnlySequence<byte>.Empty;
        var first = new Segment(parts[0], 0);
        var last = first;
        foreach (var part in parts.Skip(1))
            last = last.Append(part);
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
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
