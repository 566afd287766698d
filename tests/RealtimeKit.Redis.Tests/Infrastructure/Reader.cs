using System.Text;
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
    private readonly List<object> _record = [];
    private readonly Task _reading;

    private Reader(RedisTopicEngine engine, TopicLog log, TopicPosition start)
    {
        _engine = engine;
        _log = log;
        Start = start;
        _reading = Task.Run(ReadAsync);
    }

    public TopicPosition Start { get; }

    public static async Task<Reader> StartAsync(RedisTopicEngine engine, string topic, TopicPosition? after = null)
    {
        var log = await engine.AttachAsync(topic, TestContext.Current.CancellationToken);
        return new Reader(engine, log, after ?? log.Position);
    }

    /// <summary>Entries and gaps in the order in which they came; a copy.</summary>
    public IReadOnlyList<object> Record
    {
        get
        {
            lock (_record)
                return [.. _record];
        }
    }

    public IReadOnlyList<TopicEntry> Entries => [.. Record.OfType<TopicEntry>()];

    public IReadOnlyList<string> Payloads => [.. Entries.Select(static entry => Encoding.UTF8.GetString(entry.Payload.Span))];

    public IReadOnlyList<TopicGap> Gaps => [.. Record.OfType<TopicGap>()];

    public TopicPosition Position => Record.Count == 0 ? Start : End(Record[^1]);

    public async Task<Reader> UntilAsync(TopicPosition position)
    {
        await Eventually.TrueAsync(
            () => _reading.IsFaulted ? throw _reading.Exception!.InnerException! : Position >= position,
            $"the reader is to come to {position}");
        return this;
    }

    /// <summary>
    /// The record must be in order, without duplicates, with a gap wherever something is left out; and what was published after the start
    /// is in it or in a gap.
    /// </summary>
    public void ShouldBeHonest(IEnumerable<KeyValuePair<TopicPosition, string>> acknowledged)
    {
        var position = Start;
        var seen = new Dictionary<TopicPosition, string>();
        foreach (var item in Record)
        {
            if (item is TopicGap gap)
            {
                gap.From.Should().Be(position, "a gap begins where the subscriber is");
                gap.To.Should().NotBe(gap.From);
            }
            else
            {
                var entry = (TopicEntry)item;
                entry.Position.Should().Be(position with { Offset = position.Offset + 1 }, "nothing is left out or repeated in silence");
                seen.Add(entry.Position, Encoding.UTF8.GetString(entry.Payload.Span));
            }

            position = End(item);
        }

        var gaps = Gaps;
        foreach (var (published, payload) in acknowledged)
        {
            if (published <= Start)
                continue;
            if (seen.TryGetValue(published, out var got))
                got.Should().Be(payload);
            else
                gaps.Should().Contain(gap => gap.From < published && published <= gap.To, "{0} was acknowledged as {1}", payload, published);
        }
    }

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

    private static TopicPosition End(object item) => item is TopicGap gap ? gap.To : ((TopicEntry)item).Position;

    private async Task ReadAsync()
    {
        var batch = new TopicEntry[16];
        var position = Start;
        while (true)
        {
            _stopping.Token.ThrowIfCancellationRequested();
            switch (_log.Read(position, batch, out var count))
            {
                case TopicLogRead.Entries:
                    lock (_record)
                        _record.AddRange(batch.AsSpan(0, count).ToArray());
                    position = batch[count - 1].Position;
                    break;
                case TopicLogRead.CaughtUp:
                    await Task.Delay(2, _stopping.Token);
                    break;
                default:
                    TopicPage page;
                    try
                    {
                        page = await _engine.ReadAsync(_log.Topic, position, batch.Length, _stopping.Token);
                    }
                    catch (TopicEngineException)
                    {
                        await Task.Delay(20, _stopping.Token);
                        break;
                    }

                    lock (_record)
                    {
                        if (page.Gap is { } gap)
                            _record.Add(gap);
                        _record.AddRange(page.Entries.ToArray());
                    }

                    position = page.Entries.Length > 0 ? page.Entries.Span[^1].Position : page.Gap?.To ?? position;
                    if (page.Entries.IsEmpty && page.Gap is null)
                        await Task.Delay(2, _stopping.Token);
                    break;
            }
        }
    }
}
