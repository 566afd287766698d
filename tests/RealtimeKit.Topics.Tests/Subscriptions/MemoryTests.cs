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
        const int Rounds = 3;   // what the process does beside counts too, in some of them
        var cancel = TestContext.Current.CancellationToken;
        await using var hub = new TopicHub();
        await using var connection = WebSocketConnection.Create(new SinkStream { KeepsWrites = false });
        var options = new TopicSubscribeOptions { EndAtGap = true };
        var keep = new List<TopicSubscription>((Rounds + 1) * Count);
        await SubscribeAsync("warm");
        var least = double.MaxValue;
        for (var round = 0; round < Rounds; round++)
        {
            var before = GC.GetTotalMemory(forceFullCollection: true);
            await SubscribeAsync($"{round}");
            least = Math.Min(least, (GC.GetTotalMemory(forceFullCollection: true) - before) / (double)Count);
        }

        output.WriteLine($"{least:0} bytes for each caught-up subscriber");
        least.Should().BeInRange(50, 512);
        GC.KeepAlive(keep);

        async Task SubscribeAsync(string text)
        {
            for (var i = 0; i < Count; i++)
                keep.Add(await hub.SubscribeAsync(new WebSocketTopicSubscriber(connection), ["t"], null, options, cancel));
            var position = await hub.PublishAsync("t", text, cancellationToken: cancel);
            await Until.True(() => keep.TrueForAll(subscription => subscription.Cursor[0].Value == position));
        }
    }
}
