using System.IO.Pipelines;

namespace RealtimeKit.ServerSentEvents;

/// <summary>Counts the bytes of one write, for metrics that somebody listens to. Lent by its thread, so that counting allocates nothing.</summary>
internal sealed class CountingPipeWriter : PipeWriter
{
    [ThreadStatic]
    private static CountingPipeWriter? _cached;

    private PipeWriter? _output;

    public long Count { get; private set; }

    public static CountingPipeWriter Rent(PipeWriter output)
    {
        // A converter may itself write events: it then finds no cached writer.
        var writer = _cached ?? new CountingPipeWriter();
        _cached = null;
        writer._output = output;
        writer.Count = 0;
        return writer;
    }

    public void Return()
    {
        _output = null;
        _cached = this;
    }

    public override void Advance(int bytes)
    {
        Count += bytes;
        _output!.Advance(bytes);
    }

    public override Memory<byte> GetMemory(int sizeHint = 0) => _output!.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => _output!.GetSpan(sizeHint);

    public override void CancelPendingFlush() => throw new NotSupportedException();

    public override void Complete(Exception? exception = null) => throw new NotSupportedException();

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();
}
