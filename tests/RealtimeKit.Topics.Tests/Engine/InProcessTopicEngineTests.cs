using Microsoft.Extensions.Time.Testing;

namespace RealtimeKit.Topics.Tests;

public sealed class InProcessTopicEngineTests : TopicEngineConformance
{
    protected override ValueTask<ITopicEngine> CreateAsync(TopicsOptions options) => new(new InProcessTopicEngine(options));

    [Fact]
    public async Task Sweep_IdleTopicWithoutHistory_VanishesAndComesBackInANewEpoch()
    {
        var cancel = TestContext.Current.CancellationToken;
        var clock = new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddYears(50));
        var options = new TopicsOptions { TimeProvider = clock };
        options.Default.HistoryAge = TimeSpan.FromMinutes(10);
        await using var engine = new InProcessTopicEngine(options);
        var first = await engine.PublishAsync(Message("t", "x"), cancel);
        engine.Count.Should().Be(1);

        clock.Advance(TimeSpan.FromMinutes(9));
        engine.Count.Should().Be(1, "there is history");
        clock.Advance(TimeSpan.FromMinutes(2));

        engine.Count.Should().Be(0);
        var second = await engine.PublishAsync(Message("t", "y"), cancel);
        second.Epoch.Should().BeGreaterThan(first.Epoch);
        (await engine.ReadAsync("t", first, 10, cancel)).Gap.Should().Be(new TopicGap("t", first, new TopicPosition(second.Epoch, 0)));
    }

    [Fact]
    public async Task Sweep_TopicWithASubscriber_Stays()
    {
        var cancel = TestContext.Current.CancellationToken;
        var clock = new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddYears(50));
        await using var engine = new InProcessTopicEngine(new TopicsOptions { TimeProvider = clock });
        var log = await engine.AttachAsync("t", cancel);

        clock.Advance(TimeSpan.FromHours(3));
        engine.Count.Should().Be(1);
        await engine.DetachAsync(log);
        clock.Advance(TimeSpan.FromMinutes(4));
        engine.Count.Should().Be(1, "a cursor that was given out holds for a while");
        clock.Advance(TimeSpan.FromMinutes(2));

        engine.Count.Should().Be(0);
    }

    [Fact]
    public async Task Publish_TooManyTopics_IsRefusedAndTheOthersGoOn()
    {
        var cancel = TestContext.Current.CancellationToken;
        await using var engine = new InProcessTopicEngine(new TopicsOptions { MaxTopics = 2 });
        await engine.PublishAsync(Message("a", "x"), cancel);
        await engine.PublishAsync(Message("b", "x"), cancel);

        await engine.Awaiting(engine => engine.PublishAsync(Message("c", "x"), cancel).AsTask()).Should().ThrowAsync<TopicEngineException>();
        (await engine.PublishAsync(Message("a", "y"), cancel)).Offset.Should().Be(2);
    }

    [Fact]
    public void TryVanish_GoneAlready_StaysGone()
    {
        var clock = new FakeTimeProvider();
        var now = clock.GetTimestamp();
        var log = new TopicLog("t", new TopicOptions(), new TopicPosition(1, 0), clock);
        var topic = new InProcessTopicEngine.Topic(log, now);

        topic.TryVanish(clock, now, TimeSpan.Zero).Should().BeTrue("room is made");
        topic.TryVanish(clock, now, TimeSpan.FromMinutes(5)).Should().BeTrue("it is on its way out, however recently it was used");

        topic.TryAttach().Should().BeFalse();
        topic.Touch(now).Should().BeFalse();
        topic.TryPublish(Message("t", "x"), clock, out _).Should().BeFalse("nobody would find what it stores");
    }
}
