using RealtimeKit.Topics;

namespace RealtimeKit.Redis.Tests;

/// <summary>
/// Publishes without end, one after the other, and keeps what was acknowledged. What fails is tried again with the same number, until it is
/// acknowledged or the publisher is stopped.
/// </summary>
internal sealed class Publisher : IAsyncDisposable
{
    private readonly RedisTopicEngine _engine;
    private readonly string _topic;
    private readonly string _id;
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<KeyValuePair<TopicPosition, string>> _acknowledged = [];
    private readonly Task _publishing;
    private int _failures;

    public Publisher(RedisTopicEngine engine, string topic, string id)
    {
        _engine = engine;
        _topic = topic;
        _id = id;
        _publishing = Task.Run(PublishAsync);
    }

    public IReadOnlyList<KeyValuePair<TopicPosition, string>> Acknowledged
    {
        get
        {
            lock (_acknowledged)
                return [.. _acknowledged];
        }
    }

    public int Failures => Volatile.Read(ref _failures);

    public int Count
    {
        get
        {
            lock (_acknowledged)
                return _acknowledged.Count;
        }
    }

    /// <summary>Waits for so many more acknowledgements.</summary>
    public Task MoreAsync(int count)
    {
        var goal = Count + count;
        return Eventually.TrueAsync(() => Count >= goal, $"{_id} is to have published {goal}");
    }

    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested)
            return;
        await _stopping.CancelAsync();
        await _publishing;
    }

    private async Task PublishAsync()
    {
        for (var sequence = 1UL; ; sequence++)
        {
            var payload = $"{_id}/{sequence}";
            while (true)
            {
                if (_stopping.IsCancellationRequested)
                    return;
                try
                {
                    var position = await _engine.PublishAsync(_topic, payload, _id, sequence);
                    lock (_acknowledged)
                        _acknowledged.Add(new(position, payload));
                    break;
                }
                catch (TopicEngineException)
                {
                    Interlocked.Increment(ref _failures);
                    await Task.Delay(20);
                }
            }
        }
    }
}
