using System.Buffers;

namespace RealtimeKit.Listener.Tests.ServerSentEvents;

public class ResponseWriterTests
{
    [Fact(Timeout = Until.Bound)]
    public async Task FlushAsync_Yields_AWriteThatHoldsItsThreadDoesNotHoldTheCallers()
    {
        using var output = new HoldingStream();
        var writer = new ResponseWriter(output, yields: true);
        writer.Write("x"u8);
        var flush = writer.FlushAsync(CancellationToken.None).AsTask();
        flush.IsCompleted.Should().BeFalse();
        output.GoOn.SetResult();
        (await flush).IsCompleted.Should().BeFalse();
        output.Written.Should().Be(1);
    }

    /// <summary>Writes as the framework writes the end of a chunk where a client does not read.</summary>
    private sealed class HoldingStream : MemoryStream
    {
        public TaskCompletionSource GoOn { get; } = new();

        public int Written { get; private set; }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            GoOn.Task.GetAwaiter().GetResult();
            Written += buffer.Length;
            return default;
        }
    }
}
