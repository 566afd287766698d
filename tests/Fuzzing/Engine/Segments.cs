using System.Buffers;

namespace RealtimeKit.Fuzzing;

/// <summary>The same bytes, cut into segments of their own memory.</summary>
internal static class Segments
{
    /// <summary>Cuts into pieces of lengths that a seed decides: mostly short ones, empty ones among them.</summary>
    public static List<byte[]> Cut(ReadOnlySpan<byte> data, FuzzRandom random)
    {
        var pieces = new List<byte[]>();
        var largest = random.Next(4) switch { 0 => 1, 1 => 3, 2 => 16, _ => Math.Max(data.Length, 1) };
        while (!data.IsEmpty)
        {
            var length = Math.Min(data.Length, random.Once(8) ? 0 : random.Between(1, largest));
            pieces.Add(data[..length].ToArray());
            data = data[length..];
        }

        return pieces;
    }

    public static List<byte[]> Bytes(ReadOnlySpan<byte> data)
    {
        var pieces = new List<byte[]>(data.Length);
        foreach (var value in data)
            pieces.Add([value]);
        return pieces;
    }

    public static ReadOnlySequence<byte> Join(IReadOnlyList<byte[]> pieces)
    {
        if (pieces.Count == 0)
            return ReadOnlySequence<byte>.Empty;
        var first = new Segment(pieces[0], null);
        var last = first;
        for (var i = 1; i < pieces.Count; i++)
            last = new Segment(pieces[i], last);
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(byte[] memory, Segment? before)
        {
            Memory = memory;
            if (before is null)
                return;
            RunningIndex = before.RunningIndex + before.Memory.Length;
            before.Next = this;
        }
    }
}
