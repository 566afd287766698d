using System.IO.Pipelines;
using System.Text;
using RealtimeKit.ServerSentEvents;

namespace RealtimeKit.Topics.Tests;

public sealed class ServerSentEventTopicSubscriberTests : IAsyncDisposable
{
    private readonly Pipe _pipe = new();
    private readonly ServerSentEventWriter _events;
    private string _read = "";

    public ServerSentEventTopicSubscriberTests() => _events = new ServerSentEventWriter(_pipe.Writer);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private TopicHub Hub { get; } = new(options: new TopicsOptions().Topic("small", topic => topic.HistoryCount = 2));

    public ValueTask DisposeAsync() => Hub.DisposeAsync();

    private Task<string> ReadUntilAsync(string end) => ReadUntilAsync(read => read.EndsWith(end, StringComparison.Ordinal));

    private async Task<string> ReadUntilAsync(Func<string, bool> isEnough)
    {
        while (!isEnough(_read))
        {
            var result = await _pipe.Reader.ReadAsync(Cancel).AsTask().WaitAsync(Until.Bound, Cancel);
            foreach (var segment in result.Buffer)
                _read += Encoding.UTF8.GetString(segment.Span);
            _pipe.Reader.AdvanceTo(result.Buffer.End);
        }

        var read = _read;
        _read = "";
        return read;
    }

    private static int CountData(string text) => text.Split("\ndata: ").Length - 1;

    private static TopicCursor At(string topic, TopicPosition position) => TopicCursor.Empty.With(topic, position);

    [Fact]
    public async Task Deliver_Entries_AreEventsNamedByTopicWithTheCursorAsId()
    {
        var start = await Hub.GetCursorAsync(["t"], Cancel);
        await using var subscription = await Hub.SubscribeAsync(new ServerSentEventTopicSubscriber(_events), ["t"], cancellationToken: Cancel);
        (await ReadUntilAsync("\n\n")).Should().Be($"id: {start}\n\n", "a client that gets nothing yet knows where it is all the same");

        var first = await Hub.PublishAsync("t", "one\ntwo", cancellationToken: Cancel);
        (await ReadUntilAsync("\n\n")).Should().Be($"id: {At("t", first)}\nevent: t\ndata: one\ndata: two\n\n");
        var second = await Hub.PublishAsync("t", "three", new TopicPublishOptions { EventType = "goal" }, Cancel);
        (await ReadUntilAsync("\n\n")).Should().Be($"id: {At("t", second)}\nevent: goal\ndata: three\n\n");
    }

    [Fact]
    public async Task Deliver_Gap_IsAnEventThatNamesIt()
    {
        var start = await Hub.GetCursorAsync(["small"], Cancel);
        var last = default(TopicPosition);
        for (var i = 1; i <= 5; i++)
            last = await Hub.PublishAsync("small", $"{i}", cancellationToken: Cancel);

        await using var subscription = await Hub.SubscribeAsync(new ServerSentEventTopicSubscriber(_events), ["small"], start, cancellationToken: Cancel);

        var to = last with { Offset = 3 };
        (await ReadUntilAsync("data: 5\n\n")).Should().Be(
            $"id: {start}\n\n"
            + $"id: {At("small", to)}\nevent: gap\ndata: {{\"topic\":\"small\",\"from\":\"{start[0].Value}\",\"to\":\"{to}\"}}\n\n"
            + $"id: {At("small", last with { Offset = 4 })}\nevent: small\ndata: 4\n\n"
            + $"id: {At("small", last)}\nevent: small\ndata: 5\n\n");
    }

    [Fact]
    public async Task Add_AndRemove_MoveTheIdWithoutAnEvent()
    {
        var a = await Hub.PublishAsync("a", "x", cancellationToken: Cancel);
        var b = await Hub.PublishAsync("b", "x", cancellationToken: Cancel);
        await using var subscription = await Hub.SubscribeAsync(new ServerSentEventTopicSubscriber(_events), ["a"], cancellationToken: Cancel);
        await ReadUntilAsync("\n\n");

        await subscription.AddAsync("b", null, Cancel);
        (await ReadUntilAsync("\n\n")).Should().Be($"id: {At("a", a).With("b", b)}\n\n");
        await subscription.RemoveAsync("a");
        (await ReadUntilAsync("\n\n")).Should().Be($"id: {At("b", b)}\n\n");
        await subscription.RemoveAsync("b");
        (await ReadUntilAsync("\n\n")).Should().Be($"id: {TopicCursor.Empty}\n\n");
    }

    [Fact]
    public async Task Deliver_WhileAHeartbeatIsFlushed_WaitsAndLosesNothing()
    {
        await using var subscription = await Hub.SubscribeAsync(new ServerSentEventTopicSubscriber(_events), ["t"], cancellationToken: Cancel);
        await ReadUntilAsync("\n\n");
        var big = _events.WriteAsync(new string('x', 100_000), cancellationToken: Cancel);
        big.IsCompleted.Should().BeFalse("the pipe is full, and the writer's gate is taken");

        var position = await Hub.PublishAsync("t", "after", cancellationToken: Cancel);

        var read = await ReadUntilAsync("data: after\n\n");
        read.Should().EndWith($"xxx\n\nid: {At("t", position)}\nevent: t\ndata: after\n\n");
        await big;
    }

    [Fact]
    public async Task Deliver_ThreeTopicsOnOneStream_ResumeFromTheLastId()
    {
        string[] topics = ["a", "b", "c"];
        var start = await Hub.GetCursorAsync(topics, Cancel);
        var subscription = await Hub.SubscribeAsync(new ServerSentEventTopicSubscriber(_events), topics, start, cancellationToken: Cancel);
        for (var i = 0; i < 30; i++)
            await Hub.PublishAsync(topics[i * 7 % 3], $"{i}", cancellationToken: Cancel);
        var read = await ReadUntilAsync(text => CountData(text) == 30);
        await subscription.DisposeAsync();

        // The client saw only a part of it.
        var events = read.Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        var seen = events[..(events.Length / 2)];
        var id = seen[^1].Split('\n')[0]["id: ".Length..];
        TopicCursor.TryParse(id, out var cursor).Should().BeTrue();
        await using var resumed = await Hub.SubscribeAsync(
            new ServerSentEventTopicSubscriber(_events), cursor.Select(pair => pair.Key), cursor, cancellationToken: Cancel);
        await Hub.PublishAsync("b", "last", cancellationToken: Cancel);
        var rest = (await ReadUntilAsync(text => CountData(text) == 31 - CountData(string.Join("\n\n", seen)))).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);

        var data = seen.Concat(rest).Select(text => text.Split('\n')).Where(lines => lines.Length == 3)
            .Select(lines => (Topic: lines[1]["event: ".Length..], Data: lines[2]["data: ".Length..])).ToArray();
        data.Should().HaveCount(31);
        foreach (var topic in topics)
        {
            data.Where(item => item.Topic == topic && item.Data != "last").Select(item => item.Data)
                .Should().Equal(Enumerable.Range(0, 30).Where(i => topics[i * 7 % 3] == topic).Select(i => $"{i}"));
        }
    }

    [Fact]
    public async Task Deliver_ReaderGone_EndsTheSubscriptionAndTheWriter()
    {
        await using var subscription = await Hub.SubscribeAsync(new ServerSentEventTopicSubscriber(_events), ["t"], cancellationToken: Cancel);
        await ReadUntilAsync("\n\n");
        await _pipe.Reader.CompleteAsync();

        await Until.True(() =>
        {
            _ = Hub.PublishAsync("t", "x", cancellationToken: Cancel).AsTask();
            return subscription.End == TopicSubscriptionEnd.Failed;
        });

        _events.IsClosed.Should().BeTrue();
    }
}
