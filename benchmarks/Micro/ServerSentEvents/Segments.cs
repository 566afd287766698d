using System.Buffers;

namespace RealtimeKit.Benchmarks.Micro.ServerSentEvents;

internal sealed class Segments : ReadOnlySequenceSegment<byte>
{
    public static ReadOnlySequence<byte> Cut(ReadOnlyMemory<byte> bytes, int size)
    {
        var first = new Segments { Memory = bytes[..Math.Min(size, bytes.Length)] };
        var last = first;
        for (var start = first.Memory.Length; start < bytes.Length; start += size)
        {
            var next = new Segments { Memory = bytes.Slice(start, Math.Min(size, bytes.Length - start)), RunningIndex = start };
            last.Next = next;
            last = next;
        }

        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }
}
