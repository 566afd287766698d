namespace RealtimeKit.Security.Tests;

/// <summary>SECURITY.md, unbounded concurrency per message: a task, or a thread, for each message of one connection.</summary>
public class UnboundedConcurrencyTests
{
    private const int Messages = 20_000;

    // Structure, not an option: a connection's messages are handled one after the other, and no more are read than fit the read-ahead.
    [Theory(Timeout = Until.Bound), InlineData(true), InlineData(false)]
    public async Task Flood_OfMessages_RunsOneHandlerAtATime(bool isSequential)
    {
        var (running, most, started) = (0, 0, 0);
        var release = new TaskCompletionSource();
        await using var server = await Hosts.StartAsync(Wire.Pipes, handler: async connection =>
        {
            await foreach (var _ in connection.ReadAllAsync())
            {
                var handling = HandleAsync();
                if (isSequential)
                    await handling;   // an application that does not wait is what the proof below is about
            }
        });
        await using var bystander = await Bystander.JoinAsync(server);
        await using var peer = await Peer.ConnectAsync(server);
        var before = RetainedMemory.Measure();
        var sending = peer.SendAsync(Enumerable.Repeat(RawWebSocket.Text("work"), Messages).SelectMany(frame => frame).ToArray());
        await Until.TrueAsync(() => Volatile.Read(ref started) >= (isSequential ? 1 : Messages));
        await bystander.IsServedAsync();
        void AssertBounded() => most.Should().Be(1);
        if (isSequential)
        {
            AssertBounded();
            RetainedMemory.Since(before).Should().BeLessThan(4 * RetainedMemory.MiB);
        }
        else
        {
            Proof.FailsWithoutTheLimit(AssertBounded);
        }

        release.SetResult();
        await sending;
        await bystander.IsServedAsync();

        async Task HandleAsync()
        {
            most = Math.Max(most, Interlocked.Increment(ref running));
            Interlocked.Increment(ref started);   // last: who has waited for it reads the other
            await release.Task;
            Interlocked.Decrement(ref running);
        }
    }

    // Requests of Web PubSub, each with application code behind it.
    [Fact(Timeout = Until.Bound)]
    public async Task Flood_OfEvents_RunsOneAtATime()
    {
        var (running, most, handled) = (0, 0, 0);
        await using var server = await TopicsServer.StartAsync(
            Wire.Pipes,
            endpoint: options => options.WebPubSub!.OnEvent = async (_, _) =>
            {
                most = Math.Max(most, Interlocked.Increment(ref running));
                await Task.Yield();
                Interlocked.Decrement(ref running);
                Interlocked.Increment(ref handled);
            },
            map: app => app.MapWebSocket("/echo", Handlers.EchoAsync));
        await using var bystander = await Bystander.JoinAsync(server);
        await using var peer = await Peer.ConnectAsync(server, "/live", "Sec-WebSocket-Protocol: json.webpubsub.azure.v1");
        await peer.SendAsync(Enumerable.Repeat(RawWebSocket.Text("""{"type":"event","event":"e","dataType":"text","data":"x"}"""), 3000).SelectMany(frame => frame).ToArray());
        await Until.TrueAsync(() => Volatile.Read(ref handled) == 3000);
        most.Should().Be(1);
        await bystander.IsServedAsync();
    }
}
