using System.IO.Pipelines;
using System.Net.WebSockets;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Topics.Tests;

public sealed class WebSocketTopicSubscriberTests : IAsyncDisposable
{
    private static readonly TopicSubscribeOptions EndAtGap = new() { EndAtGap = true };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private TopicHub Hub { get; } = new(options: new TopicsOptions().Topic("small", topic => topic.HistoryCount = 2).Topic("t", topic => topic.HistoryCount = 10_000));

    public ValueTask DisposeAsync() => Hub.DisposeAsync();

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task Deliver_TextAndBinary_ArriveAsTheyWerePublished(bool isCompressed, bool takesOver)
    {
        var options = new WebSocketConnectionOptions();
        if (isCompressed)
            options.Compression = new PerMessageDeflateOptions { MinimumSize = 1, ServerContextTakeover = takesOver };
        var (client, server) = WebSocketConnection.CreatePair(options);
        await using var first = client;
        await using var second = server;
        await using var subscription = await Hub.SubscribeAsync(new WebSocketTopicSubscriber(server), ["t"], null, EndAtGap, Cancel);
        byte[] binary = [0, 255, 1];
        var text = new string('a', 3000) + "ü";

        await Hub.PublishAsync("t", text, cancellationToken: Cancel);
        await Hub.PublishAsync("t", binary, cancellationToken: Cancel);
        await Hub.PublishAsync("t", "", cancellationToken: Cancel);

        var message = await client.ReceiveAsync(Cancel);
        (message.Type, message.GetText()).Should().Be((WebSocketMessageType.Text, text));
        message = await client.ReceiveAsync(Cancel);
        message.Type.Should().Be(WebSocketMessageType.Binary);
        message.ToArray().Should().Equal(binary);
        message = await client.ReceiveAsync(Cancel);
        (message.Type, message.GetText()).Should().Be((WebSocketMessageType.Text, ""));
    }

    [Fact]
    public async Task Deliver_Batch_IsOneWrite()
    {
        var stream = new SinkStream();
        await using var server = WebSocketConnection.Create(stream, new WebSocketConnectionOptions { KeepAliveInterval = Timeout.InfiniteTimeSpan });
        var cursor = await Hub.GetCursorAsync(["t"], Cancel);
        for (var i = 0; i < 100; i++)
            await Hub.PublishAsync("t", $"{i:00}", cancellationToken: Cancel);

        await using var subscription = await Hub.SubscribeAsync(new WebSocketTopicSubscriber(server), ["t"], cursor, EndAtGap, Cancel);

        await Until.True(() =>
        {
            lock (stream.Writes)
                return stream.Writes.Count == 1;
        });
        stream.Writes[0].Should().Be(400, "each frame has a header of two bytes and a payload of two");
    }

    // RFC 6455 §7.1.2: who closes waits for the peer's Close. What is published meanwhile finds no way out, which is no reason to cut the peer off.
    [Fact]
    public async Task Deliver_ConnectionIsBeingClosed_PeerStillReadsWhy()
    {
        var (client, server) = WebSocketConnection.CreatePair();
        await using var first = client;
        await using var second = server;
        await using var subscription = await Hub.SubscribeAsync(new WebSocketTopicSubscriber(server), ["t"], null, EndAtGap, Cancel);
        var closing = server.CloseAsync(WebSocketCloseStatus.PolicyViolation, "no more", Cancel).AsTask();

        await Hub.PublishAsync("t", "too late", cancellationToken: Cancel);
        await Until.True(() => subscription.End == TopicSubscriptionEnd.Failed);
        server.State.Should().BeOneOf([WebSocketState.CloseSent, WebSocketState.Closed], "the client may look ahead and answer");
        (await client.ReceiveAsync(Cancel)).Type.Should().Be(WebSocketMessageType.Close);
        client.CloseResult!.Should().Be(new WebSocketCloseResult(WebSocketCloseStatus.PolicyViolation, "no more", WebSocketCloseInitiator.Remote, true));
        (await closing).IsClean.Should().BeTrue();
    }

    [Fact]
    public async Task Deliver_PeerReadsNothing_TakesNoSecondBatch()
    {
        var toClient = new Pipe(new PipeOptions(pauseWriterThreshold: 1000, resumeWriterThreshold: 500));
        var server = WebSocketConnection.Create(new Ends(new Pipe().Reader, toClient.Writer));
        await using var subscription = await Hub.SubscribeAsync(new WebSocketTopicSubscriber(server), ["t"], null, EndAtGap, Cancel);
        await Hub.PublishAsync("t", new byte[2000], cancellationToken: Cancel);
        await Until.True(() => subscription.Cursor.Count == 1 && subscription.Cursor[0].Value.Offset == 1);

        for (var i = 0; i < 5; i++)
            await Hub.PublishAsync("t", new byte[2000], cancellationToken: Cancel);
        subscription.Cursor[0].Value.Offset.Should().Be(1, "the first batch is not flushed");
        server.Abort();
    }

    [Fact]
    public async Task Deliver_WouldSkip_ClosesWith4290AndTheCursor()
    {
        var cursor = await Hub.GetCursorAsync(["small"], Cancel);
        for (var i = 0; i < 5; i++)
            await Hub.PublishAsync("small", $"{i}", cancellationToken: Cancel);
        var (client, server) = WebSocketConnection.CreatePair();
        await using var first = client;
        await using var second = server;

        await using var subscription = await Hub.SubscribeAsync(new WebSocketTopicSubscriber(server), ["small"], cursor, EndAtGap, Cancel);

        (await client.ReceiveAsync(Cancel)).Type.Should().Be(WebSocketMessageType.Close);
        client.CloseResult!.Value.Status.Should().Be((WebSocketCloseStatus)4290);
        client.CloseResult.Value.Reason.Should().Be(cursor.ToString());
    }

    [Fact]
    public async Task Deliver_ConnectionGone_EndsTheSubscription()
    {
        var ended = new TaskCompletionSource<TopicSubscriptionEnd>(TaskCreationOptions.RunContinuationsAsynchronously);
        var (client, server) = WebSocketConnection.CreatePair();
        await using var subscription = await Hub.SubscribeAsync(
            new WebSocketTopicSubscriber(server, (_, reason, _) => ended.TrySetResult(reason)), ["t"], null, EndAtGap, Cancel);
        server.Abort();
        client.Abort();

        await Hub.PublishAsync("t", "x", cancellationToken: Cancel);

        (await ended.Task.WaitAsync(Until.Bound, Cancel)).Should().Be(TopicSubscriptionEnd.Failed);
    }

    [Fact]
    public async Task Deliver_BesideTheAppsOwnSends_MixesNothingUp()
    {
        var (client, server) = WebSocketConnection.CreatePair();
        await using var first = client;
        await using var second = server;
        await using var subscription = await Hub.SubscribeAsync(new WebSocketTopicSubscriber(server), ["t"], null, EndAtGap, Cancel);
        const int Count = 2000;
        var publishing = Task.Run(
            async () =>
            {
                for (var i = 0; i < Count; i++)
                    await Hub.PublishAsync("t", $"topic {i}", cancellationToken: Cancel);
            },
            Cancel);
        var sending = Task.Run(
            async () =>
            {
                for (var i = 0; i < Count; i++)
                    await server.SendAsync($"own {i}", Cancel);
            },
            Cancel);

        var topic = new List<string>();
        var own = new List<string>();
        while (topic.Count + own.Count < 2 * Count && await client.ReceiveAsync(Cancel) is { Type: WebSocketMessageType.Text } message)
            (message.GetText().StartsWith("topic", StringComparison.Ordinal) ? topic : own).Add(message.GetText());

        await Task.WhenAll(publishing, sending);
        topic.Should().Equal(Enumerable.Range(0, Count).Select(i => $"topic {i}"));
        own.Should().Equal(Enumerable.Range(0, Count).Select(i => $"own {i}"));
    }

    [Fact]
    public async Task Drain_OpenSubscriptions_CloseWith1001AndNobodyComesIn()
    {
        var (client, server) = WebSocketConnection.CreatePair();
        await using var first = client;
        await using var second = server;
        await using var subscription = await Hub.SubscribeAsync(new WebSocketTopicSubscriber(server), ["t"], null, EndAtGap, Cancel);

        await Hub.DrainAsync(TimeSpan.Zero, Cancel);

        (await client.ReceiveAsync(Cancel)).Type.Should().Be(WebSocketMessageType.Close);
        client.CloseResult!.Value.Status.Should().Be(WebSocketCloseStatus.EndpointUnavailable);
        await Hub.Awaiting(hub => hub.SubscribeAsync(new RecordingSubscriber(), ["t"]).AsTask()).Should().ThrowAsync<InvalidOperationException>();
    }

    private sealed class Ends(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
