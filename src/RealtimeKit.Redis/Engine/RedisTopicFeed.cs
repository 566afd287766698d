using Microsoft.Extensions.Logging;
using RealtimeKit.Topics;
using StackExchange.Redis;

namespace RealtimeKit.Redis;

/// <summary>
/// Keeps the log of a topic on this node up to date while somebody here subscribes: from notices, and by reading the stream where a notice
/// does not continue the log, after the connection was lost, and where the sweep finds the log behind.
/// </summary>
internal sealed partial class RedisTopicFeed(RedisTopicEngine engine, RedisTopic topic, ILogger logger)
{
    private readonly Lock _lock = new();
    private ChannelMessageQueue? _notices;
    private TopicLog? _log;
    private TopicPosition _read;
    private ulong _tag;   // of the log's newest entry; 0: unknown
    private bool _isCatchingUp;
    private bool _isAskedAgain;
    private int _doubts;   // how often the stream may have become another, and up to which of these the log was verified
    private int _verified;
    private bool _isStopped;

    public RedisTopic Topic => topic;

    /// <summary>How many attachments there are. Guarded by the engine.</summary>
    public int Attachments { get; set; }

    /// <summary>The log, once it is there.</summary>
    public Task<TopicLog>? Started { get; set; }

    public TopicLog? Log => _log;

    /// <summary>Subscribes first and asks for the position then: what is published in between is announced and waits in the queue.</summary>
    public async Task<TopicLog> StartAsync(TopicsOptions options, CancellationToken cancellationToken)
    {
        _notices = await engine.Connection.SubscribeAsync(topic.Channel, cancellationToken).ConfigureAwait(false);
        try
        {
            var (position, tag) = await engine.GetPositionAsync(topic, distrusted: null, cancellationToken).ConfigureAwait(false);
            _read = position;
            _tag = tag;
            _log = new TopicLog(topic.Name, topic.Options, position, options.TimeProvider);
        }
        catch
        {
            await StopAsync().ConfigureAwait(false);
            throw;
        }

        _notices.OnMessage(message => OnNotice(message.Message));
        return _log;
    }

    public async Task StopAsync()
    {
        lock (_lock)
            _isStopped = true;
        if (_notices is not null)
            await RedisConnection.UnsubscribeAsync(_notices).ConfigureAwait(false);
    }

    /// <summary>
    /// Another server may have other entries with the same numbers: nothing is added to the log until its newest entry has been compared
    /// with the one in the stream, by the next <see cref="CatchUp"/>.
    /// </summary>
    public void Doubt()
    {
        lock (_lock)
            _doubts++;
    }

    /// <summary>Reads what the log does not have yet, in the background; with one reader at a time.</summary>
    public void CatchUp()
    {
        lock (_lock)
        {
            _isAskedAgain = true;
            if (_isCatchingUp || _isStopped || _log is null)
                return;
            _isCatchingUp = true;
        }

        _ = Task.Run(CatchUpAsync);
    }

    private void OnNotice(RedisValue message)
    {
        if ((byte[]?)message is not { } bytes || !Notice.TryRead(topic.Name, bytes, out var position, out var entry, out var tag))
            return;
        lock (_lock)
        {
            var newest = _log!.Position;
            if (position.Epoch == newest.Epoch && position.Offset <= newest.Offset && position.Offset > 0 && position <= _read)
            {
                engine.Metrics.Noticed("known");
                return;   // read already
            }

            if (entry is not null && position.Epoch == newest.Epoch && position.Offset == newest.Offset + 1 && _verified == _doubts)
            {
                engine.Metrics.Noticed("appended");
                topic.See(position, tag, entry.Payload.Length + 256);
                _log.TryAppend(entry);
                _tag = tag;
                return;
            }
        }

        // A notice was lost, its payload was too large to be announced, or the stream is or may be not the one that this node knows.
        engine.Metrics.Noticed("read");
        CatchUp();
    }

    private async Task CatchUpAsync()
    {
        while (true)
        {
            int doubts;
            lock (_lock)
            {
                if (!_isAskedAgain || _isStopped)
                {
                    _isCatchingUp = false;
                    return;
                }

                _isAskedAgain = false;
                doubts = _doubts;
            }

            try
            {
                await CatchUpOnceAsync(doubts).ConfigureAwait(false);
            }
            catch (TopicEngineException exception)
            {
                // Redis is away: when it is back, or by the next sweep, it is asked again.
                LogMessages.ReadFailed(logger, topic.Name, exception.Message);
                lock (_lock)
                {
                    _isAskedAgain = false;
                    _isCatchingUp = false;
                }

                return;
            }
            catch (Exception exception)
            {
                LogMessages.Failed(logger, topic.Name, exception);
            }
        }
    }

    private async Task CatchUpOnceAsync(int doubts)
    {
        var log = _log!;
        TopicPosition held;
        ulong tag;
        bool isDoubted;
        lock (_lock)
            (held, tag, isDoubted) = (log.Position, _tag, _verified != doubts);
        ulong? distrusted = null;
        // Not the newest entry that the node has seen, which it may have published itself: the log would be continued beyond what it lacks.
        if (isDoubted && !await engine.IsInStreamAsync(topic, held, tag, CancellationToken.None).ConfigureAwait(false))
            distrusted = held.Epoch;
        var (newest, newestTag) = await engine.GetPositionAsync(topic, distrusted, CancellationToken.None).ConfigureAwait(false);
        lock (_lock)
        {
            if (newest.Epoch != log.Position.Epoch)
                Reset(new TopicPosition(newest.Epoch, 0), tag: 0);
            _verified = doubts;
        }

        while (true)
        {
            var page = await engine.ReadStreamAsync(topic, log.Position, topic.PageCount, CancellationToken.None).ConfigureAwait(false);
            lock (_lock)
            {
                if (_isStopped)
                    return;
                if (_doubts != doubts)
                {
                    // What was read may be of another server than what the log has.
                    _isAskedAgain = true;
                    return;
                }

                foreach (var stored in page)
                    Append(stored);
                if (page.Count == 0)
                {
                    // Nothing is held after the log's newest entry: what came since has been trimmed.
                    if (newest.Epoch == log.Position.Epoch && newest.Offset > log.Position.Offset)
                        Reset(newest, newestTag);
                    return;
                }
            }
        }
    }

    // Under the lock.
    private void Append(in StoredEntry stored)
    {
        var newest = _log!.Position;
        if (stored.Position <= newest)
            return;   // a notice was faster
        // Entries in between were trimmed, or the epoch is another: subscribers behind it are told by what they read from the stream.
        if (stored.Position.Epoch != newest.Epoch || stored.Position.Offset != newest.Offset + 1)
            Reset(new TopicPosition(stored.Position.Epoch, stored.Position.Offset - 1), tag: 0);
        if (stored.Entry is null)
            Reset(stored.Position, stored.Tag);
        else
            _log.TryAppend(stored.Entry);
        _tag = stored.Tag;
        _read = stored.Position;
        topic.See(stored.Position, stored.Tag);
    }

    // Under the lock.
    private void Reset(TopicPosition position, ulong tag)
    {
        if (position.Epoch != _log!.Position.Epoch)
        {
            LogMessages.NewEpoch(logger, topic.Name, _log.Position, position.Epoch);
            engine.Metrics.EpochChanged();
        }

        _log.Reset(position);
        _tag = tag;
        _read = position;
    }

    private static partial class LogMessages
    {
        [LoggerMessage(RealtimeEventIds.RedisReadFailed, LogLevel.Warning, "The topic {Topic} could not be read from Redis; it is tried again. {Reason}", EventName = nameof(RealtimeEventIds.RedisReadFailed))]
        public static partial void ReadFailed(ILogger logger, string topic, string reason);

        [LoggerMessage(RealtimeEventIds.RedisCatchUpFailed, LogLevel.Error, "The topic {Topic} could not be brought up to date.", EventName = nameof(RealtimeEventIds.RedisCatchUpFailed))]
        public static partial void Failed(ILogger logger, string topic, Exception exception);

        [LoggerMessage(RealtimeEventIds.RedisEpochChanged, LogLevel.Warning, "The history of the topic {Topic} was lost or went back in Redis after {Position}: epoch {Epoch} has begun, and subscribers are told.", EventName = nameof(RealtimeEventIds.RedisEpochChanged))]
        public static partial void NewEpoch(ILogger logger, string topic, TopicPosition position, ulong epoch);
    }
}
