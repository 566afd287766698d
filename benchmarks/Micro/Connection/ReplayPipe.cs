using System.Buffers;
using System.IO.Pipelines;

namespace RealtimeKit.Benchmarks.Micro.Connection;

/// <summary>A pipe that holds the same bytes for ever, in segments as large as a pipe's own, and swallows what is written.</summary>
internal sealed class ReplayPipe : PipeReader, IDuplexPipe
{
    private const int SegmentSize = 4096;
    private readonly ReadOnlySequence<byte> _content;
    private ReadOnlySequence<byte> _rest;

    public ReplayPipe(byte[] content)
    {
        Segment? first = null, last = null;
        for (var offset = 0; offset < content.Length; offset += SegmentSize)
        {
            var memory = content.AsMemory(offset, Math.Min(SegmentSize, content.Length - offset));
            last = last is null ? first = new Segment(memory, 0) : last.Append(memory);
        }

        _content = _rest = new ReadOnlySequence<byte>(first!, 0, last!, last!.Memory.Length);
    }

    public PipeReader Input => this;

    public PipeWriter Output { get; } = PipeWriter.Create(Stream.Null);

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) =>
        new(new ReadResult(_rest, isCanceled: false, isCompleted: false));

    public override void AdvanceTo(SequencePosition consumed)
    {
        _rest = _rest.Slice(consumed);
        if (_rest.IsEmpty)
            _rest = _content;
    }

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => AdvanceTo(consumed);

    public override bool TryRead(out ReadResult result)
    {
        result = new ReadResult(_rest, isCanceled: false, isCompleted: false);
        return true;
    }

    public override void CancelPendingRead()
    {
    }

    public override void Complete(Exception? exception = null)
    {
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, long index)
        {
            Memory = memory;
            RunningIndex = index;
        }

        public Segment Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Segment(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
