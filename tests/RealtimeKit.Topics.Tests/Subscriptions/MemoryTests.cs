using RealtimeKit.WebSockets;

namespace RealtimeKit.Topics.Tests;

/// <summary>The heap is everybody's: nothing else runs meanwhile.</summary>
[CollectionDefinition(nameof(MemoryTests), DisableParallelization = true)]
public sealed class MemoryTestGroup;

[Collection(nameof(MemoryTests))]
public class MemoryTests(ITestOutputHelper output)
{
    /// <summary>A subscriber that has caught up costs at most 512 bytes beside its connection: no queue, no buffer, no task.</summary>
    [Fact]
    public async Task Subscription_CaughtUp_HoldsAtMost512Bytes()
    {
        const int Count = 10_000;
        var cancel = TestContext.Current.CancellationToken;
        await using var hub = new TopicHub();
        await using var connection = WebSocketConnection.Create(new SinkStream { KeepsWrites = false });
        var options = new TopicSubscribeOptions { EndAtGap = true };
        var keep = new TopicSubscription[2 * Count];
        for (var i = 0; i < Count; i++)
            keep[i] = await hub.SubscribeAsync(new WebSocketTopicSubscriber(connection), ["t"], null, options, cancel);
        await ReachAsync("warm", Count);

        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = Count; i < 2 * Count; i++)
            keep[i] = await hub.SubscribeAsync(new WebSocketTopicSubscriber(connection), ["t"], null, options, cancel);
        await ReachAsync("x", 2 * Count);
        var bytes = (GC.GetTotalMemory(forceFullCollection: true) - before) / (double)Count;

        output.WriteLine($"{bytes:0} bytes for each caught-up subscriber");
        bytes.Should().BeInRange(50, 512);
        GC.KeepAlive(keep);

        async Task ReachAsync(string text, int count)
        {
            var position = await hub.PublishAsync("t", text, cancellationToken: cancel);
            await Until.True(() => keep.Take(count).All(subscription => subscription.Cursor[0].Value == position));
        }
    }
}
