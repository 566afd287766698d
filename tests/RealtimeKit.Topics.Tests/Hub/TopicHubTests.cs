using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Security.Claims;
using System.Text.Json.Serialization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace RealtimeKit.Topics.Tests;

public sealed partial class TopicHubTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static ClaimsPrincipal User(string? name) =>
        new(name is null ? new ClaimsIdentity() : new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, name)], "test"));

    [Fact]
    public async Task AddTopics_Services_PublishAndSubscribe()
    {
        await using var services = new ServiceCollection()
            .AddTopics(options => options.Default.HistoryCount = 3).Services
            .AddTopics(options => options.MaxTopics = 5).Services
            .BuildServiceProvider();
        var publisher = services.GetRequiredService<ITopicPublisher>();
        var hub = services.GetRequiredService<TopicHub>();
        var subscriber = new RecordingSubscriber();
        await using var subscription = await hub.SubscribeAsync(subscriber, ["t"], cancellationToken: Cancel);

        await publisher.PublishAsync("t", new Goal("Ada", 90), GoalJson.Default.Goal, cancellationToken: Cancel);

        await Until.True(() => subscriber.Entries.Length == 1);
        subscriber.Texts.Should().Equal("""{"Player":"Ada","Minute":90}""");
        hub.Should().BeSameAs(publisher);
        (hub.Options.Default.HistoryCount, hub.Options.MaxTopics).Should().Be((3, 5));
        hub.Engine.Should().BeOfType<InProcessTopicEngine>();
    }

    [Fact]
    public async Task Subscribe_Authorization_IsAskedForEachTopicAndAtEachResume()
    {
        var asked = new List<(string? User, string Topic, bool IsResume)>();
        var options = new TopicsOptions().Topic("private/**", topic => topic.AuthorizeSubscribe = access =>
        {
            asked.Add((access.User.FindFirst(ClaimTypes.NameIdentifier)?.Value, access.Topic, access.IsResume));
            return new ValueTask<bool>(access.Topic.EndsWith(access.User.FindFirst(ClaimTypes.NameIdentifier)?.Value ?? "?", StringComparison.Ordinal));
        });
        await using var hub = new TopicHub(options: options);
        var ada = new TopicSubscribeOptions { User = User("ada") };
        var cursor = await hub.GetCursorAsync(["private/ada", "private/bob"], Cancel);

        await using var subscription = await hub.SubscribeAsync(new RecordingSubscriber(), ["private/ada", "public"], null, ada, Cancel);
        var denied = await subscription.Awaiting(subscription => subscription.AddAsync("private/bob").AsTask()).Should().ThrowAsync<TopicAccessDeniedException>();
        denied.Which.Topic.Should().Be("private/bob");
        await hub.Awaiting(hub => hub.SubscribeAsync(new RecordingSubscriber(), ["private/ada", "private/bob"], cursor, ada).AsTask())
            .Should().ThrowAsync<TopicAccessDeniedException>("a cursor grants nothing");
        await hub.Awaiting(hub => hub.SubscribeAsync(new RecordingSubscriber(), ["private/ada"], null, new TopicSubscribeOptions { User = User(null) }).AsTask())
            .Should().ThrowAsync<TopicAccessDeniedException>();
        await using var own = await hub.SubscribeAsync(new RecordingSubscriber(), ["private/bob"], cancellationToken: Cancel);

        asked.Should().Equal(
            ("ada", "private/ada", false), ("ada", "private/bob", false), ("ada", "private/ada", true), ("ada", "private/bob", true), (null, "private/ada", false));
        subscription.Topics.Should().Equal("private/ada", "public");
    }

    [Fact]
    public async Task Authorize_Publish_IsDeniedUnlessAllowed()
    {
        var options = new TopicsOptions().Topic("open", topic => topic.AuthorizePublish = access => new ValueTask<bool>(access.Action == TopicAction.Publish));
        await using var hub = new TopicHub(options: options);

        (await hub.AuthorizeAsync(User("ada"), "closed", TopicAction.Publish, Cancel)).Should().BeFalse();
        (await hub.AuthorizeAsync(User("ada"), "open", TopicAction.Publish, Cancel)).Should().BeTrue();
        (await hub.AuthorizeAsync(User("ada"), "closed", TopicAction.Subscribe, Cancel)).Should().BeTrue();
        (await hub.AuthorizeAsync(User("ada"), "bad\n", TopicAction.Subscribe, Cancel)).Should().BeFalse();
    }

    [Fact]
    public async Task Publish_WhatIsNotAllowed_IsRefused()
    {
        await using var hub = new TopicHub(options: new TopicsOptions { MaxPayloadSize = 10 });
        Func<Task>[] wrong =
        [
            () => hub.PublishAsync("", "x").AsTask(),
            () => hub.PublishAsync("a\0", "x").AsTask(),
            () => hub.PublishAsync("t", new byte[11]).AsTask(),
            () => hub.PublishAsync("t", "x", new TopicPublishOptions { EventType = "a\nb" }).AsTask(),
            () => hub.PublishAsync("t", "x", new TopicPublishOptions { MessageType = System.Net.WebSockets.WebSocketMessageType.Close }).AsTask(),
        ];

        foreach (var publish in wrong)
            await publish.Should().ThrowAsync<ArgumentException>();
        (await hub.PublishAsync("t", new byte[10], cancellationToken: Cancel)).Offset.Should().Be(1);
    }

    [Fact]
    public async Task GetOldestCursor_HistoryIsPartlyGone_IsBeforeWhatIsLeftAndTellsNoGap()
    {
        await using var hub = new TopicHub(options: new TopicsOptions().Topic("small", topic => topic.HistoryCount = 2));
        foreach (var text in new[] { "1", "2", "3" })
            await hub.PublishAsync("small", text, cancellationToken: Cancel);
        await hub.PublishAsync("whole", "first", cancellationToken: Cancel);
        string[] topics = ["small", "whole", "new"];
        var oldest = await hub.GetOldestCursorAsync(topics, Cancel);
        await hub.PublishAsync("new", "later", cancellationToken: Cancel);
        var subscriber = new RecordingSubscriber();

        await using var subscription = await hub.SubscribeAsync(subscriber, topics, oldest, cancellationToken: Cancel);

        await Until.True(() => subscriber.Entries.Length == 4);
        subscriber.Texts.Should().BeEquivalentTo("2", "3", "first", "later");
        subscriber.Gaps.Should().BeEmpty();
        await hub.Awaiting(hub => hub.GetOldestCursorAsync(Enumerable.Range(0, 101).Select(i => $"{i}")).AsTask()).Should().ThrowAsync<TopicLimitException>();
        await hub.Awaiting(hub => hub.GetOldestCursorAsync([""]).AsTask()).Should().ThrowAsync<ArgumentException>();
    }

    [Fact]
    public async Task GetCursor_BeforeThePageConnects_LosesNothingInBetween()
    {
        await using var hub = new TopicHub();
        await hub.PublishAsync("t", "rendered", cancellationToken: Cancel);
        var page = (await hub.GetCursorAsync(["t", "quiet"], Cancel)).ToString();
        await hub.PublishAsync("t", "in between", cancellationToken: Cancel);
        await hub.PublishAsync("quiet", "first of all", cancellationToken: Cancel);
        TopicCursor.TryParse(page, out var after).Should().BeTrue();
        var subscriber = new RecordingSubscriber();

        await using var subscription = await hub.SubscribeAsync(subscriber, ["t", "quiet"], after, cancellationToken: Cancel);

        await Until.True(() => subscriber.Entries.Length == 2);
        subscriber.Texts.Should().BeEquivalentTo("in between", "first of all");
        subscriber.Gaps.Should().BeEmpty();
        await hub.Awaiting(hub => hub.GetCursorAsync(Enumerable.Range(0, 101).Select(i => $"{i}")).AsTask()).Should().ThrowAsync<TopicLimitException>();
    }

    [Fact]
    public async Task Drain_Window_EndsThemOneAfterTheOther()
    {
        var clock = new FakeTimeProvider();
        await using var hub = new TopicHub(options: new TopicsOptions { TimeProvider = clock });
        var subscribers = Enumerable.Range(0, 4).Select(_ => new RecordingSubscriber()).ToArray();
        foreach (var subscriber in subscribers)
            await hub.SubscribeAsync(subscriber, ["t"], cancellationToken: Cancel);
        int Ended() => subscribers.Count(subscriber => subscriber.Ended.Task.IsCompleted);

        var drain = hub.DrainAsync(TimeSpan.FromSeconds(8), Cancel).AsTask();
        await Until.True(() => Ended() == 1);
        for (var expected = 2; expected <= 4; expected++)
        {
            clock.Advance(TimeSpan.FromSeconds(2));
            await Until.True(() => Ended() == expected);
        }

        await drain;
        subscribers.Should().OnlyContain(subscriber => subscriber.Ended.Task.Result == TopicSubscriptionEnd.Draining);
    }

    [Fact]
    public async Task Metrics_Listened_CountWhatHappens()
    {
        var counts = new Dictionary<string, double>();
        using var listener = new MeterListener();
        await using var hub = new TopicHub(options: new TopicsOptions().Topic("small", topic => topic.HistoryCount = 1), meterFactory: null);
        listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == "RealtimeKit.Topics")
                listener.EnableMeasurementEvents(instrument);
        };
        void Add(string name, double value)
        {
            lock (counts)
                counts[name] = counts.GetValueOrDefault(name) + value;
        }

        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => Add(instrument.Name, value));
        listener.SetMeasurementEventCallback<double>((instrument, value, _, _) => Add(instrument.Name + "#", 1));
        listener.Start();
        var cursor = await hub.GetCursorAsync(["small"], Cancel);
        await hub.PublishAsync("small", "1", cancellationToken: Cancel);
        await hub.PublishAsync("small", "2", cancellationToken: Cancel);
        var subscriber = new RecordingSubscriber();
        var subscription = await hub.SubscribeAsync(subscriber, ["small"], cursor, cancellationToken: Cancel);
        await Until.True(() => subscriber.Entries.Length == 1);
        await subscription.DisposeAsync();

        // Other tests run at the same time, with meters of the same name.
        string[] names = ["realtimekit.topics.published", "realtimekit.topics.delivered", "realtimekit.topics.gaps", "realtimekit.topics.lag#"];
        await Until.True(() =>
        {
            lock (counts)
                return names.All(name => counts.GetValueOrDefault(name) >= 1) && counts.ContainsKey("realtimekit.topics.subscriptions");
        });
    }

    [Fact]
    public async Task Activities_Listened_LinkDeliveryToPublish()
    {
        var activities = new List<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "RealtimeKit.Topics",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
            {
                lock (activities)
                    activities.Add(activity);
            },
        };
        ActivitySource.AddActivityListener(listener);
        await using var hub = new TopicHub();
        var subscriber = new RecordingSubscriber();
        await using var subscription = await hub.SubscribeAsync(subscriber, ["traced"], cancellationToken: Cancel);

        await hub.PublishAsync("traced", "x", cancellationToken: Cancel);

        await Until.True(() =>
        {
            lock (activities)
            {
                var publish = activities.Find(activity => activity.Kind == ActivityKind.Producer && (string?)activity.GetTagItem("messaging.destination.name") == "traced");
                return publish is not null && activities.Exists(activity =>
                    activity.Kind == ActivityKind.Consumer && activity.Links.Any(link => link.Context.SpanId == publish.SpanId));
            }
        });
    }

    internal sealed record Goal(string Player, int Minute);

    [JsonSerializable(typeof(Goal))]
    internal sealed partial class GoalJson : JsonSerializerContext;
}
