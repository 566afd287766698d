using RealtimeKit.Topics;
using StackExchange.Redis;

namespace RealtimeKit.Redis;

public sealed partial class RedisTopicEngine
{
    private readonly Dictionary<string, RedisTopicFeed> _feeds = new(StringComparer.Ordinal);

    internal RedisTopicMetrics Metrics => _metrics;

    /// <summary>How many topics have subscribers on this node.</summary>
    internal int FeedCount
    {
        get
        {
            lock (_feeds)
                return _feeds.Count;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<TopicLog> AttachAsync(string topic, CancellationToken cancellationToken)
    {
        TopicEngineNames.ThrowIfInvalid(topic);
        RedisTopicFeed? feed;
        lock (_feeds)
        {
            ObjectDisposedException.ThrowIf(_isDisposed != 0, this);
            if (!_feeds.TryGetValue(topic, out feed))
                _feeds.Add(topic, feed = new RedisTopicFeed(this, _cache.Get(topic), _logger));
            feed.Attachments++;
            // Others wait for it too: one caller's token must not end it for them.
            feed.Started ??= Task.Run(() => feed.StartAsync(_topics, _stopping.Token), CancellationToken.None);
        }

        try
        {
            var log = await feed.Started!.WaitAsync(cancellationToken).ConfigureAwait(false);
            return log;
        }
        catch
        {
            await ReleaseAsync(feed).ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DetachAsync(TopicLog log)
    {
        ArgumentNullException.ThrowIfNull(log);
        RedisTopicFeed? feed;
        lock (_feeds)
        {
            if (!_feeds.TryGetValue(log.Topic, out feed) || feed.Log != log)
                return;
        }

        await ReleaseAsync(feed).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<TopicPage> ReadAsync(string topic, TopicPosition after, int maxCount, CancellationToken cancellationToken)
    {
        TopicEngineNames.ThrowIfInvalid(topic);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxCount, 1);
        var known = _cache.Get(topic);
        return await ReadPageAsync(known, after, Math.Min(maxCount, known.PageCount), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The entries of a topic's stream after a position, of whatever epochs.</summary>
    internal async Task<IReadOnlyList<StoredEntry>> ReadStreamAsync(RedisTopic topic, TopicPosition after, int count, CancellationToken cancellationToken)
    {
        // A client may name the last position there can be: Redis refuses to begin after it.
        if (after == new TopicPosition(ulong.MaxValue, ulong.MaxValue))
            return [];
        var next = after.Offset < ulong.MaxValue ? after with { Offset = after.Offset + 1 } : new TopicPosition(after.Epoch + 1, 0);
        var stored = await RangeAsync(topic, next.ToString(), "+", count, cancellationToken).ConfigureAwait(false);
        var entries = new StoredEntry[stored.Length];
        for (var i = 0; i < stored.Length; i++)
            entries[i] = StoredEntry.Read(topic.Name, stored[i]);
        if (entries.Length > 0)
            topic.See(default, 0, (int)Math.Min(entries.Average(static entry => (long)(entry.Entry?.Payload.Length ?? 0) + 256), int.MaxValue));
        _metrics.ReadPage(entries.Length);
        return entries;
    }

    /// <summary>Whether an entry is the one in the stream, or has left it.</summary>
    internal async Task<bool> IsInStreamAsync(RedisTopic topic, TopicPosition position, ulong tag, CancellationToken cancellationToken)
    {
        if (position.Offset == 0 || tag == 0)
            return true;
        var stored = await RangeAsync(topic, position.ToString(), position.ToString(), 1, cancellationToken).ConfigureAwait(false);
        return stored.Length == 0 || StoredEntry.Read(topic.Name, stored[0]).Tag == tag;
    }

    private async Task<StreamEntry[]> RangeAsync(RedisTopic topic, string from, string to, int count, CancellationToken cancellationToken)
    {
        var database = await _connection.GetDatabaseAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // A replica may not have it yet.
            return await database.StreamRangeAsync(topic.Log, from, to, count, Order.Ascending, CommandFlags.DemandMaster)
                .WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (RedisConnection.IsRedis(exception))
        {
            throw RedisConnection.Failed(exception);
        }
    }

    private async Task<TopicPage> ReadPageAsync(RedisTopic topic, TopicPosition after, int count, CancellationToken cancellationToken)
    {
        var page = await ReadStreamAsync(topic, after, count, cancellationToken).ConfigureAwait(false);
        if (page.Count > 0 && page[0].Entry is not null && Follows(page[0].Position, after))
            return ToPage(page, gap: null);

        // What is missing can only be said against the newest position. Asked for first: what comes later is in the page.
        var (newest, _) = await GetPositionAsync(topic, distrusted: null, cancellationToken).ConfigureAwait(false);
        page = await ReadStreamAsync(topic, after, count, cancellationToken).ConfigureAwait(false);
        if (page.Count > 0)
            return ToPage(page, GapBefore(page[0], topic.Name, after));
        if (after == newest)
            return new TopicPage(default);
        if (after < newest)
            return new TopicPage(default, new TopicGap(topic.Name, after, newest));

        // Beyond the newest entry: a cursor from before history was lost, or one that somebody made up.
        page = await ReadStreamAsync(topic, new TopicPosition(newest.Epoch, 0), count, cancellationToken).ConfigureAwait(false);
        if (page.Count > 0 && page[0].Position.Epoch == newest.Epoch)
            return ToPage(page, new TopicGap(topic.Name, after, Before(page[0])));
        return new TopicPage(default, new TopicGap(topic.Name, after, newest));
    }

    private static bool Follows(TopicPosition position, TopicPosition before) =>
        position.Epoch == before.Epoch && position.Offset == before.Offset + 1;

    private static TopicGap? GapBefore(in StoredEntry first, string topic, TopicPosition after) =>
        first.Entry is not null && Follows(first.Position, after) ? null : new TopicGap(topic, after, Before(first));

    // The position that a gap before an entry ends at; one that nobody can read belongs to the gap.
    private static TopicPosition Before(in StoredEntry first) =>
        first.Entry is null ? first.Position : first.Position with { Offset = first.Position.Offset - 1 };

    // As far as there is neither a hole nor another epoch; what follows is the next page.
    private static TopicPage ToPage(IReadOnlyList<StoredEntry> stored, TopicGap? gap)
    {
        var entries = new List<TopicEntry>(stored.Count);
        foreach (var (position, entry, _) in stored)
        {
            if (entry is null || (entries.Count > 0 && !Follows(position, entries[^1].Position)))
                break;
            entries.Add(entry);
        }

        return new TopicPage(entries.ToArray(), gap);
    }

    private async Task ReleaseAsync(RedisTopicFeed feed)
    {
        lock (_feeds)
        {
            var isLast = --feed.Attachments == 0;
            // One that could not start is nobody's any more: whoever comes next tries again.
            if ((isLast || feed.Started!.IsFaulted) && _feeds.TryGetValue(feed.Topic.Name, out var current) && current == feed)
                _feeds.Remove(feed.Topic.Name);
            if (!isLast)
                return;
        }

        var stopping = StopAsync(feed);
        // Whoever gave up waiting for the start does not wait for it here.
        if (feed.Started!.IsCompleted)
            await stopping.ConfigureAwait(false);
    }

    private static async Task StopAsync(RedisTopicFeed feed)
    {
        await ((Task)feed.Started!).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await feed.StopAsync().ConfigureAwait(false);
    }

    private async Task DetachAllAsync()
    {
        RedisTopicFeed[] feeds;
        lock (_feeds)
        {
            feeds = [.. _feeds.Values];
            _feeds.Clear();
        }

        await Task.WhenAll(feeds.Select(static feed => feed.StopAsync())).ConfigureAwait(false);
    }
}
