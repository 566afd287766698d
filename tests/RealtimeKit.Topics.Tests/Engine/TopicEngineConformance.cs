using System.Text;

namespace RealtimeKit.Topics.Tests;

/// <summary>What every <see cref="ITopicEngine"/> promises. An engine's tests derive from it and make the engine.</summary>
public abstract class TopicEngineConformance : IAsyncLifetime
{
    private readonly string _prefix = Guid.NewGuid().ToString("N")[..8];

    protected ITopicEngine Engine { get; private set; } = null!;

    /// <summary>Makes an engine whose topics named <c>…/small</c> keep 10 entries and all others at least 1,000.</summary>
    protected abstract ValueTask<ITopicEngine> CreateAsync(TopicsOptions options);

    public async ValueTask InitializeAsync() =>
        Engine = await CreateAsync(new TopicsOptions().Topic("**/small", topic => topic.HistoryCount = 10));

    public async ValueTask DisposeAsync()
    {
        await Engine.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected string Topic(string name) => $"{_prefix}/{name}";

    protected static TopicPublication Message(string topic, string text) => new(topic, Encoding.UTF8.GetBytes(text));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Publish_OneAfterTheOther_RisesWithinOneEpoch()
    {
        var positions = new List<TopicPosition>();
        for (var i = 0; i < 20; i++)
            positions.Add(await Engine.PublishAsync(Message(Topic("a"), $"{i}"), Cancel));

        positions.Should().BeInAscendingOrder().And.OnlyHaveUniqueItems();
        positions.Select(position => position.Epoch).Distinct().Should().ContainSingle().Which.Should().BePositive();
        positions[0].Offset.Should().BePositive();
    }

    [Fact]
    public async Task Publish_FromManyThreads_NumbersEachOnceAndKeepsAll()
    {
        var topic = Topic("many");
        var log = await Engine.AttachAsync(topic, Cancel);
        var positions = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => Task.Run(async () => await Engine.PublishAsync(Message(topic, $"{i}"), Cancel))));

        positions.Should().OnlyHaveUniqueItems();
        await Until.True(() => log.Position == positions.Max());
        var entries = new TopicEntry[300];
        log.Read(new TopicPosition(log.Position.Epoch, 0), entries, out var count).Should().NotBe(TopicLogRead.OutsideWindow);
        entries.Take(count).Select(entry => entry.Position).Should().BeInAscendingOrder().And.BeEquivalentTo(positions);
        entries.Take(count).Select(entry => entry.Text()).Should().BeEquivalentTo(Enumerable.Range(0, 200).Select(i => $"{i}"));
        await Engine.DetachAsync(log);
    }

    [Fact]
    public async Task Publish_EveryField_ArrivesInTheEntry()
    {
        var topic = Topic("fields ü/€");
        var log = await Engine.AttachAsync(topic, Cancel);
        var position = await Engine.PublishAsync(
            new TopicPublication(topic, new byte[] { 0, 255, 10 }) { EventType = "goal", Key = "k", ExcludedConnection = "c" }, Cancel);
        await Engine.PublishAsync(Message(topic, "text"), Cancel);
        await Engine.PublishAsync(Message(topic, "") with { MessageType = System.Net.WebSockets.WebSocketMessageType.Binary }, Cancel);

        await Until.True(() => log.Count == 3);
        var page = await Engine.ReadAsync(topic, new TopicPosition(position.Epoch, 0), 10, Cancel);
        var entries = page.Entries.ToArray();
        await Engine.DetachAsync(log);

        entries.Should().HaveCount(3);
        (entries[0].Topic, entries[0].Position, entries[0].EventType, entries[0].Key, entries[0].ExcludedConnection).Should().Be((topic, position, "goal", "k", "c"));
        entries[0].Payload.ToArray().Should().Equal(0, 255, 10);
        entries.Select(entry => entry.MessageType).Should().Equal(
            System.Net.WebSockets.WebSocketMessageType.Binary, System.Net.WebSockets.WebSocketMessageType.Text, System.Net.WebSockets.WebSocketMessageType.Binary);
        entries[1].EventType.Should().BeNull();
        entries[1].Key.Should().BeNull();
    }

    [Fact]
    public async Task Publish_RetryWithTheSameSequence_StoresNothingAgain()
    {
        var topic = Topic("retry");
        TopicPublication Numbered(string producer, ulong sequence) => Message(topic, $"{producer}{sequence}") with { ProducerId = producer, Sequence = sequence };

        var first = await Engine.PublishAsync(Numbered("p", 1), Cancel);
        var second = await Engine.PublishAsync(Numbered("p", 2), Cancel);
        var retry = await Engine.PublishAsync(Numbered("p", 2), Cancel);
        var late = await Engine.PublishAsync(Numbered("p", 1), Cancel);
        var other = await Engine.PublishAsync(Numbered("q", 1), Cancel);

        retry.Should().Be(second);
        late.Should().Be(second, "the producer's last publication is what is known");
        other.Should().BeGreaterThan(second);
        var page = await Engine.ReadAsync(topic, new TopicPosition(first.Epoch, 0), 10, Cancel);
        page.Entries.ToArray().Select(entry => entry.Text()).Should().Equal("p1", "p2", "q1");
    }

    [Fact]
    public async Task Attach_AfterPublishing_HasEverythingAtOnce()
    {
        var topic = Topic("late");
        var last = default(TopicPosition);
        for (var i = 0; i < 5; i++)
            last = await Engine.PublishAsync(Message(topic, $"{i}"), Cancel);

        var log = await Engine.AttachAsync(topic, Cancel);

        log.Position.Should().Be(last);
        await Engine.DetachAsync(log);
    }

    [Fact]
    public async Task Attach_Twice_GivesOneLogThatLivesUntilBothHaveLeft()
    {
        var topic = Topic("twice");
        var first = await Engine.AttachAsync(topic, Cancel);
        var second = await Engine.AttachAsync(topic, Cancel);
        second.Should().BeSameAs(first);
        await Engine.DetachAsync(first);

        var position = await Engine.PublishAsync(Message(topic, "x"), Cancel);

        await Until.True(() => second.Position == position);
        await Engine.DetachAsync(second);
    }

    [Fact]
    public async Task GetPosition_NewTopic_IsWherePublishingBegins()
    {
        var topic = Topic("new");
        var before = await Engine.GetPositionAsync(topic, Cancel);

        var published = await Engine.PublishAsync(Message(topic, "x"), Cancel);

        before.Epoch.Should().Be(published.Epoch);
        before.Offset.Should().BeLessThan(published.Offset);
        (await Engine.GetPositionAsync(topic, Cancel)).Should().Be(published);
        var page = await Engine.ReadAsync(topic, before, 10, Cancel);
        page.Gap.Should().BeNull();
        page.Entries.Length.Should().Be(1);
    }

    [Fact]
    public async Task Read_PageByPage_GivesEverythingOnce()
    {
        var topic = Topic("pages");
        var start = await Engine.GetPositionAsync(topic, Cancel);
        for (var i = 0; i < 25; i++)
            await Engine.PublishAsync(Message(topic, $"{i}"), Cancel);

        var read = new List<string>();
        for (var after = start; ;)
        {
            var page = await Engine.ReadAsync(topic, after, 7, Cancel);
            page.Gap.Should().BeNull();
            page.Entries.Length.Should().BeLessThanOrEqualTo(7);
            if (page.Entries.IsEmpty)
                break;
            read.AddRange(page.Entries.ToArray().Select(entry => entry.Text()));
            after = page.Entries.Span[^1].Position;
        }

        read.Should().Equal(Enumerable.Range(0, 25).Select(i => $"{i}"));
    }

    [Fact]
    public async Task Read_TrimmedPosition_TellsExactlyWhatIsMissing()
    {
        var topic = Topic("small");
        var start = await Engine.GetPositionAsync(topic, Cancel);
        var positions = new List<TopicPosition>();
        for (var i = 0; i < 30; i++)
            positions.Add(await Engine.PublishAsync(Message(topic, $"{i}"), Cancel));

        var page = await Engine.ReadAsync(topic, start, 100, Cancel);

        var entries = page.Entries.ToArray();
        entries.Should().HaveCount(10);
        page.Gap.Should().Be(new TopicGap(topic, start, positions[19]));
        entries.Select(entry => entry.Position).Should().Equal(positions.Skip(20));
    }

    [Fact]
    public async Task Read_PositionOfAnotherEpoch_TellsAGapAndGivesWhatIsThere()
    {
        var topic = Topic("epoch");
        var position = await Engine.PublishAsync(Message(topic, "x"), Cancel);
        var foreign = new TopicPosition(position.Epoch - 1, 12);

        var page = await Engine.ReadAsync(topic, foreign, 10, Cancel);

        page.Gap.Should().NotBeNull();
        page.Gap!.Value.From.Should().Be(foreign);
        page.Gap.Value.To.Epoch.Should().Be(position.Epoch);
        page.Gap.Value.To.Offset.Should().BeLessThan(position.Offset);
        page.Entries.ToArray().Select(entry => entry.Text()).Should().Equal("x");
    }

    [Fact]
    public async Task Read_PositionBeyondTheNewest_TellsAGap()
    {
        var topic = Topic("beyond");
        var position = await Engine.PublishAsync(Message(topic, "x"), Cancel);

        var page = await Engine.ReadAsync(topic, position with { Offset = position.Offset + 1000 }, 10, Cancel);

        page.Gap.Should().NotBeNull("such a cursor is not of this history");
        page.Gap!.Value.To.Should().BeLessThanOrEqualTo(position);
    }

    [Fact]
    public async Task Read_NewestPosition_IsEmptyWithoutAGap()
    {
        var topic = Topic("end");
        var position = await Engine.PublishAsync(Message(topic, "x"), Cancel);

        var page = await Engine.ReadAsync(topic, position, 10, Cancel);

        page.Gap.Should().BeNull();
        page.Entries.Length.Should().Be(0);
    }

    [Fact]
    public async Task Subscribe_WhilePublishing_MissesAndRepeatsNothing()
    {
        var topic = Topic("live");
        var options = new TopicsOptions { BatchCount = 16 };
        var hub = new TopicHub(Engine, options);
        var subscriber = new RecordingSubscriber();
        var start = await Engine.GetPositionAsync(topic, Cancel);
        var publishing = Task.Run(
            async () =>
            {
                for (var i = 0; i < 500; i++)
                    await Engine.PublishAsync(Message(topic, $"{i}"), Cancel);
            },
            Cancel);

        await using var subscription = await hub.SubscribeAsync(subscriber, [topic], TopicCursor.Empty.With(topic, start), cancellationToken: Cancel);

        await publishing;
        await Until.True(() => subscriber.Entries.Length >= 500);
        subscriber.Texts.Should().Equal(Enumerable.Range(0, 500).Select(i => $"{i}"));
        subscriber.Gaps.Should().BeEmpty();
    }

    [Fact]
    public async Task Dispose_Twice_DoesNothingMore()
    {
        // A hub and a container may both own it.
        var engine = await CreateAsync(new TopicsOptions());

        await engine.DisposeAsync();
        await engine.DisposeAsync();
    }

    [Fact]
    public async Task Cluster_Command_ReachesThisNode()
    {
        var received = new TaskCompletionSource<byte[]>(TaskCreationOptions.RunContinuationsAsynchronously);
        Engine.Cluster.OnCommand(command =>
        {
            received.TrySetResult(command.ToArray());
            return default;
        });

        await Engine.Cluster.SendAsync(new byte[] { 1, 2, 3 }, Cancel);

        (await received.Task.WaitAsync(Until.Bound, Cancel)).Should().Equal(1, 2, 3);
        Engine.Cluster.NodeId.Should().NotBeNullOrEmpty();
    }

    [Fact]
    public async Task Cluster_Sets_ListSetAndRemoveMembers()
    {
        var set = Topic("set");
        var lifetime = TimeSpan.FromMinutes(1);
        await Engine.Cluster.SetAsync(new TopicClusterEntry[] { new(set, "a", new byte[] { 1 }), new(set, "b", new byte[] { 2 }) }, lifetime, Cancel);
        await Engine.Cluster.SetAsync(new TopicClusterEntry[] { new(set, "a", new byte[] { 3 }) }, lifetime, Cancel);

        var members = await Engine.Cluster.ListAsync(set, Cancel);
        members.OrderBy(member => member.Member).Select(member => (member.Member, member.Value.Span[0])).Should().Equal(("a", (byte)3), ("b", (byte)2));
        (await Engine.Cluster.RemoveAsync(set, "a", Cancel)).Should().BeTrue();
        (await Engine.Cluster.RemoveAsync(set, "a", Cancel)).Should().BeFalse();
        (await Engine.Cluster.ListAsync(set, Cancel)).Select(member => member.Member).Should().Equal("b");
        (await Engine.Cluster.ListAsync(set + "?", Cancel)).Should().BeEmpty();
    }

    [Fact]
    public async Task Cluster_Members_ExpireUnlessRenewed()
    {
        var set = Topic("expiring");
        await Engine.Cluster.SetAsync(new TopicClusterEntry[] { new(set, "short", default) }, TimeSpan.FromMilliseconds(200), Cancel);
        await Engine.Cluster.SetAsync(new TopicClusterEntry[] { new(set, "long", default) }, TimeSpan.FromMinutes(1), Cancel);

        var members = await Engine.Cluster.ListAsync(set, Cancel);
        while (members.Any(member => member.Member == "short"))
        {
            await Task.Delay(20, Cancel);
            members = await Engine.Cluster.ListAsync(set, Cancel);
        }

        members.Select(member => member.Member).Should().Equal("long");
    }
}
