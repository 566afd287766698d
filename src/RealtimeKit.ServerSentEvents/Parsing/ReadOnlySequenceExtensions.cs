using System.Buffers;

namespace RealtimeKit.ServerSentEvents;

internal static class ReadOnlySequenceExtensions
{
    /// <summary>
    /// What follows the first segment. A slice by length may stand at the end of that segment for ever when empty ones follow.
    /// </summary>
    public static ReadOnlySequence<byte> SliceAfterFirstSegment(in this ReadOnlySequence<byte> sequence)
    {
        var next = sequence.Start;
        return sequence.TryGet(ref next, out _) && next.GetObject() is not null ? sequence.Slice(next) : sequence.Slice(sequence.End);
    }
}
