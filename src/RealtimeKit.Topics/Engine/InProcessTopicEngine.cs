using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace RealtimeKit.Topics;

/// <summary>
/// Keeps topics in the memory of this process: the logs of the subscriptions are the store. History outlives subscribers, within its
/// bounds; a topic with neither vanishes after <see cref="TopicsOptions.IdleTopicLifetime"/>, or earlier where
/// <see cref="TopicsOptions.MaxTopics"/> is reached, and comes back in a new epoch.
/// </summary>
/// <remarks>
/// Retries are recognised for the last 1,024 producers of a topic. Nothing survives the process: after a restart every topic has another
/// epoch, and whoever resumes is told of a gap.
/// </remarks>
public sealed class InProcessTopicEngine : ITopicEngine
{
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(30);

    // How long after a look for room that found none the next one comes: each goes over all topics.
    private static readonly TimeSpan RoomInterval = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, Topic> _topics = new(StringComparer.Ordinal);
    private readonly TopicsOptions _options;
    private readonly TimeProvider _clock;
    private readonly InProcessTopicCluster _cluster;
    private readonly ITimer _sweep;
    private readonly Lock _making = new();
    private long? _fullSince;
    private ulong _lastEpoch;
    private int _count;

    /// <summary>Makes an engine.</summary>
    /// <param name="options">The options; the defaults where <see langword="null"/>.</param>
    public InProcessTopicEngine(TopicsOptions? options = null)
    {
        _options = options ?? new TopicsOptions();
        _clock = _options.TimeProvider;
        _cluster = new InProcessTopicCluster(_clock);
        _sweep = _clock.CreateTimer(static engine => ((InProcessTopicEngine)engine!).Sweep(), this, SweepInterval, SweepInterval);
    }

    /// <inheritdoc/>
    public ITopicCluster Cluster => _cluster;

    /// <summary>How many topics there are.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <inheritdoc/>
    public ValueTask<TopicPosition> PublishAsync(TopicPublication publication, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<TopicPosition>(cancellationToken);
        while (true)
        {
            if (Get(publication.Topic).TryPublish(publication, _clock, out var position))
                return new ValueTask<TopicPosition>(position);
        }
    }

    /// <inheritdoc/>
    public ValueTask<TopicLog> AttachAsync(string topic, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<TopicLog>(cancellationToken);
        while (true)
        {
            var found = Get(topic);
            if (found.TryAttach())
                return new ValueTask<TopicLog>(found.Log);
        }
    }

    /// <inheritdoc/>
    public ValueTask DetachAsync(TopicLog log)
    {
        ArgumentNullException.ThrowIfNull(log);
        if (_topics.TryGetValue(log.Topic, out var topic) && topic.Log == log)
            topic.Detach(_clock.GetTimestamp());
        return default;
    }

    /// <inheritdoc/>
    public ValueTask<TopicPage> ReadAsync(string topic, TopicPosition after, int maxCount, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxCount, 1);
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<TopicPage>(cancellationToken);
        while (true)
        {
            var found = Get(topic);
            if (!found.Touch(_clock.GetTimestamp()))
                continue;
            var entries = new TopicEntry[maxCount];
            TopicGap? gap = null;
            int count;

            // What was trimmed in between makes the gap larger.
            while (found.Log.Read(after, entries, out count) == TopicLogRead.OutsideWindow)
            {
                var floor = found.Log.Floor;
                gap = new TopicGap(topic, gap?.From ?? after, floor);
                after = floor;
            }

            return new ValueTask<TopicPage>(new TopicPage(entries.AsMemory(0, count), gap));
        }
    }

    /// <inheritdoc/>
    public ValueTask<TopicPosition> GetPositionAsync(string topic, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<TopicPosition>(cancellationToken);
        while (true)
        {
            var found = Get(topic);
            if (found.Touch(_clock.GetTimestamp()))
                return new ValueTask<TopicPosition>(found.Log.Position);
        }
    }

    /// <summary>Lets go of everything.</summary>
    public async ValueTask DisposeAsync()
    {
        await _sweep.DisposeAsync().ConfigureAwait(false);
        _topics.Clear();
    }

    private Topic Get(string name)
    {
        if (_topics.TryGetValue(name, out var topic))
            return topic;
        if (Volatile.Read(ref _count) >= _options.MaxTopics && !TryMakeRoom())
            throw new TopicEngineException($"There are {_options.MaxTopics} topics already, as many as there may be.");
        var log = new TopicLog(name, _options.Resolve(name), new TopicPosition(NextEpoch(), 0), _clock);
        var made = new Topic(log, _clock.GetTimestamp());
        topic = _topics.GetOrAdd(name, made);
        if (topic == made)
            Interlocked.Increment(ref _count);
        return topic;
    }

    // A client makes a topic by naming one, and need not stay: it must not be able to fill all places with names for others' new topics to
    // be refused. The half that was used least recently, of those with neither subscribers nor history, goes before its time; half of them,
    // so that going over all of them is paid for by as many new ones.
    private bool TryMakeRoom()
    {
        lock (_making)
        {
            if (Volatile.Read(ref _count) < _options.MaxTopics)
                return true;
            var now = _clock.GetTimestamp();
            if (_fullSince is { } since && _clock.GetElapsedTime(since, now) < RoomInterval)
                return false;
            var idle = new List<(long LastUsed, KeyValuePair<string, Topic> Entry)>();
            foreach (var entry in _topics)
            {
                if (entry.Value.IsIdle(out var lastUsed))
                    idle.Add((lastUsed, entry));
            }

            idle.Sort(static (one, other) => one.LastUsed.CompareTo(other.LastUsed));
            foreach (var (_, entry) in idle.Take((idle.Count + 1) / 2))
            {
                if (entry.Value.TryVanish(_clock, now, TimeSpan.Zero) && _topics.TryRemove(entry))
                    Interlocked.Decrement(ref _count);
            }

            var hasRoom = Volatile.Read(ref _count) < _options.MaxTopics;
            _fullSince = hasRoom ? null : now;
            return hasRoom;
        }
    }

    // Rises, also over restarts while the clock does; its low bits are random, so that two processes that begin in one millisecond differ.
    private ulong NextEpoch()
    {
        var now = ((ulong)Math.Max(_clock.GetUtcNow().ToUnixTimeMilliseconds(), 1) << 10) | (uint)RandomNumberGenerator.GetInt32(1 << 10);
        while (true)
        {
            var last = Volatile.Read(ref _lastEpoch);
            var next = Math.Max(now, last + 1);
            if (Interlocked.CompareExchange(ref _lastEpoch, next, last) == last)
                return next;
        }
    }

    private void Sweep()
    {
        var now = _clock.GetTimestamp();
        foreach (var (name, topic) in _topics)
        {
            if (topic.TryVanish(_clock, now, _options.IdleTopicLifetime) && _topics.TryRemove(new(name, topic)))
                Interlocked.Decrement(ref _count);
        }

        _cluster.Sweep();
    }

    internal sealed class Topic(TopicLog log, long now)
    {
        private const int MaxProducers = 1024;

        private readonly Lock _lock = new();
        private Dictionary<string, (ulong Sequence, TopicPosition Position)>? _producers;
        private Queue<string>? _producerOrder;
        private ulong _next = 1;
        private int _attached;
        private long _lastUsed = now;
        private bool _isGone;

        public TopicLog Log => log;

        public bool TryPublish(in TopicPublication publication, TimeProvider clock, out TopicPosition position)
        {
            lock (_lock)
            {
                position = default;
                if (_isGone)
                    return false;
                if (publication.ProducerId is { } producer)
                {
                    if (_producers is not null && _producers.TryGetValue(producer, out var last) && publication.Sequence <= last.Sequence)
                    {
                        position = last.Position;
                        return true;
                    }
                }

                position = new TopicPosition(log.Position.Epoch, _next);
                var entry = new TopicEntry(publication, position, clock.GetUtcNow());
                _next++;
                log.TryAppend(entry);
                _lastUsed = clock.GetTimestamp();
                if (publication.ProducerId is not null)
                    Remember(publication.ProducerId, publication.Sequence, position);
                return true;
            }
        }

        public bool TryAttach()
        {
            lock (_lock)
            {
                if (!_isGone)
                    _attached++;
                return !_isGone;
            }
        }

        public void Detach(long now)
        {
            lock (_lock)
            {
                _attached--;
                _lastUsed = now;
            }
        }

        public bool Touch(long now)
        {
            lock (_lock)
            {
                _lastUsed = now;
                return !_isGone;
            }
        }

        public bool IsIdle(out long lastUsed)
        {
            lock (_lock)
            {
                lastUsed = _lastUsed;
                return _attached == 0 && log.Count == 0;
            }
        }

        public bool TryVanish(TimeProvider clock, long now, TimeSpan lifetime)
        {
            lock (_lock)
            {
                log.Trim();

                // What is gone stays so: whoever found that is about to take it out, with whatever was published to it since.
                _isGone |= _attached == 0 && log.Count == 0 && clock.GetElapsedTime(_lastUsed, now) >= lifetime;
                return _isGone;
            }
        }

        private void Remember(string producer, ulong sequence, TopicPosition position)
        {
            _producers ??= new(StringComparer.Ordinal);
            _producerOrder ??= new();
            if (!_producers.ContainsKey(producer))
            {
                if (_producerOrder.Count == MaxProducers)
                    _producers.Remove(_producerOrder.Dequeue());
                _producerOrder.Enqueue(producer);
            }

            _producers[producer] = (sequence, position);
        }
    }
}
