using System.Globalization;
using System.IO.Pipelines;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using RealtimeKit.ServerSentEvents;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Topics.Tests;

/// <summary>
/// One random history: a publisher that never stops while clients read slowly, lose their connections in the middle of whatever is under
/// way and come back, and the logs forget, by their bounds and by new epochs. Entry n of a topic carries the number n, through all epochs.
/// </summary>
internal sealed class RandomHistory(int seed)
{
    private readonly Random _random = new(seed);
    private volatile Dictionary<string, ulong> _ends = [];
    private string[] _topics = [];
    private int _reading;

    public int Seen { get; private set; }

    public int Gaps { get; private set; }

    public int Sessions { get; private set; }

    public async Task RunAsync()
    {
        var options = new TopicsOptions { BatchCount = _random.Next(1, 20), BatchBytes = _random.Next(1, 400) };
        options.Default.HistoryCount = _random.Next(1, 60);
        options.Default.HistoryBytes = _random.Next(1000, 30_000);
        options.Default.SlowConsumers = (SlowConsumerPolicy)_random.Next(4);
        options.Default.MaxLag = _random.Next(0, 40);
        _topics = [.. Enumerable.Range(0, _random.Next(1, 4)).Select(i => $"topic/{i}")];
        await using var hub = new TopicHub(options: options);

        // Where the wire is a socket, everybody has one.
        var kinds = seed % 20 == 0 ? 2 : 3;
        var clients = Enumerable.Range(0, _random.Next(1, 4))
            .Select(i => (Client: new HistoryClient($"client {i}"), Random: new Random(seed + (i * 7919)), Kind: _random.Next(kinds)))
            .ToArray();
        _reading = clients.Length;
        var publishing = Task.Run(() => PublishAsync(hub));
        var reading = clients.Select(client => Task.Run(() => ReadAsync(hub, client.Client, client.Random, client.Kind))).ToArray();
        await Task.WhenAll(reading.Append(publishing)).WaitAsync(TimeSpan.FromSeconds(60));
        foreach (var (client, _, _) in clients)
        {
            Seen += client.Seen;
            Gaps += client.Gaps;
            Sessions += client.Sessions;
        }
    }

    private async Task PublishAsync(TopicHub hub)
    {
        var random = new Random(seed ^ 0x5eed);
        var next = _topics.ToDictionary(topic => topic, _ => 1UL);
        while (Volatile.Read(ref _reading) > 0)
        {
            for (var burst = random.Next(1, 15); burst > 0; burst--)
            {
                var topic = _topics[random.Next(_topics.Length)];
                await PublishAsync(hub, topic, next[topic]++, random);
            }

            if (random.Next(60) == 0)
                await ForgetAsync(hub, _topics[random.Next(_topics.Length)]);
            await Task.Yield();
        }

        // Everybody is in its last session: the last entries are marked before they can arrive.
        _ends = next;
        foreach (var topic in _topics)
            await hub.PublishAsync(topic, next[topic].ToString(CultureInfo.InvariantCulture), new TopicPublishOptions { Key = "end" });
    }

    private static async Task PublishAsync(TopicHub hub, string topic, ulong number, Random random)
    {
        var text = number.ToString(CultureInfo.InvariantCulture) + new string(' ', random.Next(3) * random.Next(30));
        var position = await hub.PublishAsync(topic, text, new TopicPublishOptions { Key = random.Next(4) == 0 ? null : "key" + random.Next(3) });
        if (position.Offset != number)
            throw new InvalidOperationException($"{topic}: entry {number} was numbered {position}.");
    }

    // The history is lost: a new epoch begins, where the old one stopped.
    private static async Task ForgetAsync(TopicHub hub, string topic)
    {
        var log = await hub.Engine.AttachAsync(topic, CancellationToken.None);
        log.Reset(new TopicPosition(log.Position.Epoch + 1, log.Position.Offset));
        await hub.Engine.DetachAsync(log);
    }

    private async Task ReadAsync(TopicHub hub, HistoryClient client, Random random, int kind)
    {
        try
        {
            await ReadToEndAsync(hub, client, random, kind);
        }
        catch
        {
            Volatile.Write(ref _reading, int.MinValue);   // or the publisher would go on until the time is over
            throw;
        }
    }

    private async Task ReadToEndAsync(TopicHub hub, HistoryClient client, Random random, int kind)
    {
        var sessions = random.Next(1, 7);
        var isLast = false;
        foreach (var (topic, position) in await hub.GetCursorAsync(_topics))
            client.Begin(topic, position);
        while (!client.HasReached(_ends))
        {
            client.Sessions++;
            if (!isLast && client.Sessions >= sessions)
            {
                isLast = true;
                Interlocked.Decrement(ref _reading);
            }

            var count = isLast ? int.MaxValue : random.Next(0, 60);
            await (kind switch
            {
                0 => ReadEventsAsync(hub, client, random, count),
                1 => ReadMessagesAsync(hub, client, random, count),
                _ => ReadItemsAsync(hub, client, random, count),
            });
        }
    }

    private async Task ReadItemsAsync(TopicHub hub, HistoryClient client, Random random, int count)
    {
        try
        {
            await foreach (var item in hub.ReadAllAsync(_topics, client.Cursor))
            {
                if (item.Kind == TopicItemKind.Gap)
                    client.Miss(item.Topic, item.Gap.From, item.Gap.To);
                else
                    client.See(item.Topic, Number(item.Entry.Text()));
                if (--count <= 0 || client.HasReached(_ends))
                    return;
                await PauseAsync(random);
            }
        }
        catch (TopicSubscriptionEndedException error) when (error.Reason == TopicSubscriptionEnd.TooSlow)
        {
            // Comes back with what it has.
        }
    }

    private async Task ReadEventsAsync(TopicHub hub, HistoryClient client, Random random, int count)
    {
        using var wire = await ConnectAsync(random);
        var events = new ServerSentEventWriter(wire.Server.Output);
        var input = wire.Client.Input;
        var after = Parse(client.Cursor.ToString());
        await using var subscription = await hub.SubscribeAsync(new ServerSentEventTopicSubscriber(events), _topics, after);
        using var assembler = new ServerSentEventAssembler();
        using var closed = events.Closed.UnsafeRegister(static writer => ((PipeWriter)writer!).Complete(), wire.Server.Output);
        while (count > 0 && !client.HasReached(_ends))
        {
            var read = await input.ReadAsync();
            var buffer = read.Buffer;
            while (count > 0 && assembler.TryRead(ref buffer, out var item))
            {
                var type = Encoding.UTF8.GetString(item.EventType);
                if (type == "gap")
                {
                    using var gap = JsonDocument.Parse(item.Data.ToArray());
                    client.Miss(
                        gap.RootElement.GetProperty("topic").GetString()!,
                        TopicPosition.Parse(gap.RootElement.GetProperty("from").GetString()!, null),
                        TopicPosition.Parse(gap.RootElement.GetProperty("to").GetString()!, null));
                }
                else
                {
                    client.See(type, Number(Encoding.UTF8.GetString(item.Data)));
                }

                client.Check(Parse(Encoding.ASCII.GetString(assembler.LastEventId)));
                count--;
            }

            input.AdvanceTo(buffer.Start, buffer.End);
            if (read.IsCompleted)
                break;
            await PauseAsync(random);
        }

        // Whatever is under way is lost.
        await input.CompleteAsync();
    }

    private async Task ReadMessagesAsync(TopicHub hub, HistoryClient client, Random random, int count)
    {
        using var wire = await ConnectAsync(random);
        var compression = random.Next(3) == 0 ? new PerMessageDeflateOptions { MinimumSize = 1 } : null;
        PerMessageDeflateParameters? parameters = compression is null ? null : new PerMessageDeflateParameters { ServerContextTakeover = random.Next(2) == 0 };
        var server = WebSocketConnection.Create(wire.Server, new WebSocketConnectionOptions { Compression = compression, CompressionParameters = parameters });
        var socket = WebSocketConnection.Create(wire.Client, new WebSocketConnectionOptions { Role = WebSocketRole.Client, Compression = compression, CompressionParameters = parameters });
        var topic = _topics[client.Sessions % _topics.Length];
        var cursor = TopicCursor.Empty.With(topic, client.Cursor.First(pair => pair.Key == topic).Value);

        // A single topic: raw messages do not say which they are of.
        await using var subscription = await hub.SubscribeAsync(new WebSocketTopicSubscriber(server), [topic], cursor, new TopicSubscribeOptions { EndAtGap = true });
        while (count-- > 0 && !(_ends.TryGetValue(topic, out var end) && client.Positions.First(pair => pair.Key == topic).Value.Offset >= end))
        {
            var message = await socket.ReceiveAsync();
            if (message.Type == WebSocketMessageType.Close)
                break;
            client.See(topic, Number(message.GetText()));
            if (_ends.Count == 0)
                await PauseAsync(random);
        }

        if (socket.CloseResult is { Status: (WebSocketCloseStatus)WebSocketTopicSubscriber.TooSlow } close)
        {
            var told = Parse(close.Reason);
            client.Check(told);
            if (!(subscription.End is TopicSubscriptionEnd.Gap or TopicSubscriptionEnd.TooSlow))
                throw new InvalidOperationException("Closed as too slow without being it.");

            // Nothing tells it what it has lost: it goes on with the newest.
            var newest = await hub.Engine.GetPositionAsync(topic, CancellationToken.None);
            if (newest != told[0].Value)
                client.Miss(topic, told[0].Value, newest);
        }
        else if (socket.CloseResult is { Status: not null } other)
        {
            throw new InvalidOperationException($"Closed with {other}.");
        }

        socket.Abort();
        server.Abort();
    }

    private static TopicCursor Parse(string? text) =>
        TopicCursor.TryParse(text, out var cursor) && cursor.Count > 0 ? cursor : throw new InvalidOperationException($"\"{text}\" is not a cursor.");

    private static ulong Number(string text) => ulong.Parse(text.TrimEnd(), CultureInfo.InvariantCulture);

    // One history in twenty is one of real sockets.
    private Task<ClientWire> ConnectAsync(Random random) =>
        seed % 20 == 0 ? ClientWire.OverLoopbackAsync() : Task.FromResult(ClientWire.InMemory(random.Next(1, 2000)));

    private static async ValueTask PauseAsync(Random random)
    {
        switch (random.Next(12))
        {
            case 0:
                for (var i = random.Next(30); i > 0; i--)
                    await Task.Yield();
                break;
            case 1:
                await Task.Delay(1);
                break;
        }
    }
}
