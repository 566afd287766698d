using System.IO.Pipelines;

namespace RealtimeKit.Fuzzing;

/// <summary>Gives pieces in segments of their own, some of them later, then the end; what is written goes to a stream.</summary>
internal sealed class ScriptedPipe : IDuplexPipe
{
    private readonly Pipe _input = new(new PipeOptions(minimumSegmentSize: 16, useSynchronizationContext: false));

    public ScriptedPipe(IReadOnlyList<byte[]> pieces, FuzzRandom random, Stream written)
    {
        Output = PipeWriter.Create(written);
        _ = FeedAsync(pieces, random);
    }

    public PipeReader Input => _input.Reader;

    public PipeWriter Output { get; }

    private async Task FeedAsync(IReadOnlyList<byte[]> pieces, FuzzRandom random)
    {
        foreach (var piece in pieces)
        {
            if (random.Once(2))
                await Task.Yield();
            if ((await _input.Writer.WriteAsync(piece)).IsCompleted)
                break;
        }

        await _input.Writer.CompleteAsync();
    }
}
