using System.Net.WebSockets;
using RealtimeKit.WebSockets.Tests.Connection.Kit;

namespace RealtimeKit.WebSockets.Tests.Connection;

[CollectionDefinition(nameof(UnobservedTests), DisableParallelization = true)]
public class UnobservedTestsAlone;

// A host that listens to TaskScheduler.UnobservedTaskException hears of nothing that its application has been told.
[Collection(nameof(UnobservedTests))]
public class UnobservedTests
{
    [Fact]
    public async Task PingAsync_ConnectionIsLostWhileItWaitsForRoom_LeavesNoFailureUnobserved()
    {
        // What other tests have left is gone first.
        Collect();
        var unobserved = 0;
        EventHandler<UnobservedTaskExceptionEventArgs> count = (_, args) =>
        {
            if (args.Exception.InnerException is WebSocketException)
                Interlocked.Increment(ref unobserved);
        };
        TaskScheduler.UnobservedTaskException += count;
        try
        {
            await PingAndAbortAsync();
            Collect();
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= count;
        }

        unobserved.Should().Be(0);
    }

    private static async Task PingAndAbortAsync()
    {
        var (harness, stream) = SendTests.Stalled(1024);
        await using var _ = harness;
        await harness.Connection.SendAsync(new byte[1020], WebSocketMessageType.Binary);
        await stream.Stalled.Within();
        var ping = harness.Connection.PingAsync().AsTask();
        harness.Connection.Abort();
        await FluentActions.Awaiting(() => ping.Within()).Should().ThrowAsync<WebSocketException>();
    }

    private static void Collect()
    {
        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }
}
