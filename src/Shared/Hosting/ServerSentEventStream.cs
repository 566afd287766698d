using System.IO.Pipelines;
using RealtimeKit.ServerSentEvents;
using RealtimeKit.WebSockets;

namespace RealtimeKit;

/// <summary>
/// One open event stream: its place on the wheel, which sends its heartbeats and sees to its age and its stalled writes, and in the
/// registry, which ends it at shutdown; and in the budget, which ends it when memory is short. It is also the only way in which they reach the request, so that none does once it has ended.
/// </summary>
internal sealed class ServerSentEventStream : TimerWheelEntry, IOpenConnection, IMemoryHolder, IBacklogObserver
{
    // How long a handler may take to end after its stream has.
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(5);

    private readonly ServerSentEventEndpointOptions _options;
    private readonly ConnectionRegistry? _registry;
    private readonly IConnectionSession? _session;
    private readonly ServerSentEventMetrics _metrics;
    private readonly RealtimeMemoryBudget? _budget;
    private readonly LinkedListNode<IMemoryHolder>? _budgeted;
    private readonly long _startedAt;
    private readonly TimeSpan _maxAge;
    private HostContext? _context;
    private EventProducer? _producer;
    private CancellationTokenRegistration _aborted;
    private ServerSentEventEnd _end;
    private bool _isCounted;

    // What the wheel saw: the number of writes, since when it is the same, and since when a write, or behind the close the handler, has
    // not ended. A write that took long leaves the handler its whole time.
    private long _writeCount;
    private long _quietSince;
    private long? _stuckSince;
    private long? _closedSince;
    private long _backlog;

    public ServerSentEventStream(
        HostContext context,
        PipeWriter output,
        EventProducer producer,
        ServerSentEventEndpointOptions options,
        ConnectionRegistry? registry,
        IConnectionSession? session,
        ServerSentEventMetrics metrics,
        RealtimeMemoryBudget? budget)
    {
        _context = context;
        _options = options;
        _registry = registry;
        _session = session;
        _metrics = metrics;
        _producer = producer;
        Writer = new ServerSentEventWriter(output, options.Writer, metrics, budget is null ? null : this);
        _startedAt = _quietSince = options.TimeProvider.GetTimestamp();
        _maxAge = options.MaxAge == Timeout.InfiniteTimeSpan ? TimeSpan.MaxValue : options.MaxAge * (1 - (Random.Shared.NextDouble() / 10));
        _budget = budget;
        _budgeted = budget?.Add(this);
    }

    public ServerSentEventWriter Writer { get; }

    IOpenConnection? IOpenConnection.NextOpen { get; set; }

    IOpenConnection? IOpenConnection.PreviousOpen { get; set; }

    /// <summary>Who it belongs to; <see langword="null"/> where nobody signed in.</summary>
    public string? UserId => _session?.UserId;

    /// <summary>How much waited for its client when a budget ended it, in bytes.</summary>
    public long ShedBytes { get; private set; }

    /// <summary>What has been written and not taken by the client, in bytes; what the host holds besides has bounds of its own.</summary>
    public long RetainedBytes => Volatile.Read(ref _backlog);

    bool IMemoryHolder.IsEnding => Writer.IsClosed;

    public TimeSpan Age => _options.TimeProvider.GetElapsedTime(_startedAt);

    private TimeSpan Step => _options.Step;

    private TimerWheel Wheel => TimerWheel.For(_options.TimeProvider);

    /// <summary>Sends the opening, and with it the headers, and lets the application write. The wheel watches from here on.</summary>
    /// <param name="aborted">Cancelled when the host sees that the client has gone.</param>
    /// <returns>The application's task.</returns>
    /// <exception cref="OperationCanceledException">The stream has ended already.</exception>
    public async ValueTask<Task> StartAsync(CancellationToken aborted)
    {
        _isCounted = _metrics.StreamOpened();
        _aborted = aborted.UnsafeRegister(static stream => ((ServerSentEventStream)stream!).Writer.Close(), this);
        Wheel.Schedule(this, Min(Step, _maxAge));
        _registry?.Add(this);
        _session?.Start(this);
        await Writer.WriteOpeningAsync(_options.Opening).ConfigureAwait(false);

        // Whoever waits for the handler holds on to it alone: what started it need not last as long as an idle stream.
        var producer = _producer!;
        _producer = null;
        return producer(Writer, Writer.Closed);
    }

    /// <summary>Takes the stream off the wheel and the registry once nothing writes to it any more, and lets the request go.</summary>
    /// <returns>Why it has ended.</returns>
    public async ValueTask<ServerSentEventEnd> ReleaseAsync(bool hasFailed)
    {
        if (_end == ServerSentEventEnd.None)
        {
            _end = hasFailed ? ServerSentEventEnd.HandlerFailed
                : Writer.IsClosed ? ServerSentEventEnd.ClientGone
                : ServerSentEventEnd.HandlerReturned;
        }

        // A heartbeat's flush may be pending; should it stall, the wheel still ends it.
        await Writer.CompleteAsync().ConfigureAwait(false);
        Wheel.Remove(this);
        _registry?.Remove(this);
        if (_budgeted is not null)
            _budget!.Remove(_budgeted);
        _session?.Dispose();
        _aborted.Unregister();

        // Under the lock: waits until an abort that has begun is done with this request.
        lock (this)
            _context = null;
        if (_end == ServerSentEventEnd.WriteTimeout)
            _metrics.StreamTimedOut();
        _metrics.StreamEnded(_isCounted, Age, _end.ToTag());
        return _end;
    }

    public async Task GoAwayAsync(CancellationToken deadline)
    {
        SetEnd(ServerSentEventEnd.Shutdown);
        var retry = (_options.Retry ?? TimeSpan.Zero) + (_options.ShutdownSpread * Random.Shared.NextDouble());
        try
        {
            await Writer.CompleteAsync(retry, deadline).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // Past the deadline, or the request's pipe has gone: the handler has been told, and an abort follows.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
    }

    public void Expire() => _ = ExpireAsync();

    public void Abort()
    {
        lock (this)
            _context?.Abort();
    }

    // What it holds is what its client does not read: a farewell would wait behind it.
    void IMemoryHolder.Shed()
    {
        ShedBytes = RetainedBytes;
        SetEnd(ServerSentEventEnd.Shed);
        Writer.Close();
        AbortLater();
    }

    void IBacklogObserver.OnBacklogChanged(long change)
    {
        Interlocked.Add(ref _backlog, change);
        _budget!.Adjust(change);
    }

    public override TimeSpan OnDue()
    {
        var now = _options.TimeProvider.GetTimestamp();
        if (Writer.IsClosed)
            return HasPassed(EndTimeout, _closedSince ??= now, now) ? AbortLater() : Step;

        // The last write came after the visit before this one.
        if (Writer.WriteCount is var count && count != _writeCount)
        {
            _writeCount = count;
            _quietSince = now - (long)(Step.TotalSeconds * _options.TimeProvider.TimestampFrequency);
            _stuckSince = null;
        }

        if (Writer.IsWriting)
        {
            // Where the process stood still, the write may have ended without anybody noticing.
            if (HasPassed(_options.WriteTimeout, Math.Max(_stuckSince ??= now, Wheel.StalledUntil), now))
            {
                SetEnd(ServerSentEventEnd.WriteTimeout);
                Writer.Close();
                return AbortLater();
            }
        }
        else
        {
            _stuckSince = null;
            SendHeartbeatIfDue(now);
        }

        var left = _maxAge - Age;
        if (left > TimeSpan.Zero)
            return Min(left, Step);
        SetEnd(ServerSentEventEnd.MaxAge);
        Writer.Close();
        return Step;
    }

    // A browser comes back, and is told by 401 to sign in; or has by then.
    private async Task ExpireAsync()
    {
        SetEnd(ServerSentEventEnd.Expired);
        if (_session?.Ending is { } ending)
            await ending().ConfigureAwait(false);
        Writer.Close();
    }

    private void SendHeartbeatIfDue(long now)
    {
        // By the next visit, which may come a tick late, the silence would be too long.
        if (_options.HeartbeatInterval == Timeout.InfiniteTimeSpan
            || _options.TimeProvider.GetElapsedTime(_quietSince, now) + Step - TimerWheel.Tick < _options.HeartbeatInterval)
            return;

        // The wheel's thread is everybody's.
        if (HostWrites.MayBlock)
            ThreadPool.UnsafeQueueUserWorkItem(static writer => writer.TryWriteHeartbeat(), Writer, preferLocal: false);
        else if (!Writer.TryWriteHeartbeat())
            return;
        _writeCount++;
        _quietSince = now;
    }

    private bool HasPassed(TimeSpan limit, long since, long now) =>
        limit != Timeout.InfiniteTimeSpan && _options.TimeProvider.GetElapsedTime(since, now) >= limit;

    // Foreign code runs on an abort: not on the wheel.
    private TimeSpan AbortLater()
    {
        ThreadPool.UnsafeQueueUserWorkItem(static stream => stream.Abort(), this, preferLocal: false);
        return Timeout.InfiniteTimeSpan;
    }

    private void SetEnd(ServerSentEventEnd end)
    {
        if (_end == ServerSentEventEnd.None && !Writer.IsClosed)
            _end = end;
    }

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
