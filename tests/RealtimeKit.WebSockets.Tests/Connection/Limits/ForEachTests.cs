using System.Collections.Concurrent;
using System.Globalization;
using System.Net.WebSockets;
using System.Text;
using RealtimeKit.WebSockets.Tests.Connection.Kit;

namespace RealtimeKit.WebSockets.Tests.Connection.Limits;

public class ForEachTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task ForEachAsync_ManyMessages_AtMostSoManyAtOnceAndNoneReadBeforeThereIsAHandler(int maxConcurrency)
    {
        var (client, server) = WebSocketConnection.CreatePair();
        await using var clientEnd = client;
        await using var serverEnd = server;
        var release = new SemaphoreSlim(0);
        var begun = new ConcurrentQueue<string>();
        var running = 0;
        var most = 0;
        var handling = server.ForEachAsync(maxConcurrency, async (_, payload, cancel) =>
        {
            var now = Interlocked.Increment(ref running);
            most = Math.Max(most, now);
            begun.Enqueue(Encoding.UTF8.GetString(payload.Span));
            await release.WaitAsync(cancel);
            Encoding.UTF8.GetString(payload.Span).Should().StartWith("m", "the copy is the handler's until it ends");
            Interlocked.Decrement(ref running);
        });
        for (var i = 0; i < 20; i++)
            await client.SendAsync(string.Create(CultureInfo.InvariantCulture, $"m{i}"));
        await Bounds.Until(() => begun.Count == maxConcurrency);
        for (var i = 0; i < 20; i++)
        {
            begun.Count.Should().BeLessThanOrEqualTo(i + maxConcurrency);
            release.Release();
            var wanted = Math.Min(i + 1 + maxConcurrency, 20);
            await Bounds.Until(() => begun.Count == wanted);
        }

        await Bounds.Until(() => Volatile.Read(ref running) == 0);
        begun.Should().BeEquivalentTo(Enumerable.Range(0, 20).Select(i => $"m{i}"));
        most.Should().BeLessThanOrEqualTo(maxConcurrency);
        var close = client.CloseAsync(WebSocketCloseStatus.NormalClosure);
        await handling.Within();
        await close.Within();
    }

    [Fact]
    public async Task ForEachAsync_PeerCloses_TellsTheHandlersAndWaitsForThem()
    {
        var (client, server) = WebSocketConnection.CreatePair();
        await using var clientEnd = client;
        await using var serverEnd = server;
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var handling = server.ForEachAsync(2, async (_, _, cancel) =>
        {
            using var registration = cancel.Register(() => cancelled.TrySetResult());
            await ended.Task;
        });
        await client.SendAsync("x");
        await client.CloseAsync(WebSocketCloseStatus.NormalClosure).Within();
        await cancelled.Task.Within();
        handling.IsCompleted.Should().BeFalse("a handler still runs");
        ended.SetResult();
        await handling.Within();
    }

    [Fact]
    public async Task ForEachAsync_HandlerFails_StopsAndThrowsItOnceTheOthersHaveEnded()
    {
        var (client, server) = WebSocketConnection.CreatePair();
        await using var clientEnd = client;
        await using var serverEnd = server;
        var others = 0;
        var handling = server.ForEachAsync(3, async (_, payload, cancel) =>
        {
            if (payload.Length == 4)
                throw new FormatException("What the application says.");
            try
            {
                await Task.Delay(Timeout.Infinite, cancel);
            }
            finally
            {
                others++;
            }
        });
        await client.SendAsync("x");
        await client.SendAsync("fail");
        var wait = () => handling.Within();
        await wait.Should().ThrowAsync<FormatException>();
        others.Should().Be(1);
        server.State.Should().Be(WebSocketState.Open, "whether the connection goes on is the caller's business");
        client.Abort();
        server.Abort();
    }

    [Fact]
    public async Task ForEachAsync_Cancelled_EndsAndThrows()
    {
        var (client, server) = WebSocketConnection.CreatePair();
        await using var clientEnd = client;
        await using var serverEnd = server;
        using var cancel = new CancellationTokenSource();
        var handling = server.ForEachAsync(3, (_, _, cancel) => new ValueTask(Task.Delay(Timeout.Infinite, cancel)), cancel.Token);
        await client.SendAsync("x");
        await cancel.CancelAsync();
        var wait = () => handling.Within();
        await wait.Should().ThrowAsync<OperationCanceledException>();
        client.Abort();
        server.Abort();
    }
}
