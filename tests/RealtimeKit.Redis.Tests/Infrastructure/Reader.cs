using RealtimeKit.Topics;

namespace RealtimeKit.Redis.Tests;

/// <summary>
/// The plainest subscriber there can be: a position, the node's log, and the engine where the position is outside of it. It keeps a record
/// of what it was given and of the gaps it was told.
/// </summary>
internal sealed class Reader : IAsyncDisposable
{
    private readonly RedisTopicEngine _engine;
    private readonly TopicLog _log;
    private readonly CancellationTokenSource _stopping = new();
    private readonly TopicRecord _record;
    private readonly Task _reading;

    private Reader(RedisTopicEngine engine, TopicLog log, TopicPosition start)
    {
        _engine = engine;
        _log = log;
        _record = new TopicRecord(start);
        _reading = Task.Run(ReadAsync);
    }

    public TopicPosition Start => _record.Start;

    public static async Task<Reader> StartAsync(RedisTopicEngine engine, string topic, TopicPosition? after = null)
    {
        var log = await engine.AttachAsync(topic, TestContext.Current.CancellationToken);
        return new Reader(engine, log, after ?? log.Position);
    }

    public IReadOnlyList<TopicEntry> Entries => _record.Entries;

    public IReadOnlyList<string> Payloads => _record.Payloads;

    public IReadOnlyList<TopicGap> Gaps => _record.Gaps;

    public TopicPosition Position => _record.Position;

    public async Task<Reader> UntilAsync(TopicPosition position)
    {
        await Eventually.TrueAsync(
            () => _reading.IsFaulted ? throw _reading.Exception!.InnerException! : Position >= position,
            $"the reader is to come to {position}");
        return this;
    }

    public void ShouldBeHonest(IEnumerable<KeyValuePair<TopicPosition, string>> acknowledged) => _record.ShouldBeHonest(acknowledged);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        try
        {
            await _reading;
        }
        catch (OperationCanceledException)
        {
        }

        await _engine.DetachAsync(_log);
    }

    private async Task ReadAsync()
    {
        var batch = new TopicEntry[16];
        while (true)
        {
            _stopping.Token.ThrowIfCancellationRequested();
            switch (_log.Read(Position, batch, out var count))
            {
                case TopicLogRead.Entries:
                    foreach (var entry in batch.AsSpan(0, count))
                        _record.Add(entry);
                    break;
                case TopicLogRead.CaughtUp:
                    await Task.Delay(2, _stopping.Token);
                    break;
                default:
                    await ReadPageAsync(batch.Length);
                    break;
            }
        }
    }

    private async Task ReadPageAsync(int count)
    {
        try
        {
            var page = await _engine.ReadAsync(_log.Topic, Position, count, _stopping.Token);
            if (page.Gap is { } gap)
                _record.Add(gap);
            foreach (var entry in page.Entries.ToArray())
                _record.Add(entry);
            if (page.Gap is null && page.Entries.IsEmpty)
                await Task.Delay(2, _stopping.Token);
        }
        catch (TopicEngineException)
        {
            await Task.Delay(20, _stopping.Token);
        }
    }
}
