using Microsoft.Extensions.Logging;
using RealtimeKit.Topics;
using StackExchange.Redis;

namespace RealtimeKit.Redis;

/// <summary>
/// The one multiplexed connection of a node: connects when it is first needed, says when it is back, and makes of every failure a
/// <see cref="TopicEngineException"/> without secrets. No command on it ever blocks.
/// </summary>
internal sealed partial class RedisConnection(RedisTopicOptions options, ILogger logger) : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private Task<IConnectionMultiplexer>? _connecting;
    private bool _isDisposed;

    /// <summary>Raised when a connection is lost; on any thread.</summary>
    public event Action? Lost;

    /// <summary>Raised when a connection is back and subscriptions have been asked for again; on any thread.</summary>
    public event Action? Restored;

    /// <summary>Whether Redis can be reached for commands and notices, as far as is known.</summary>
    public bool IsConnected => _connecting is { IsCompletedSuccessfully: true } task && task.Result.IsConnected;

    public async Task<IDatabase> GetDatabaseAsync(CancellationToken cancellationToken) =>
        (await ConnectAsync(cancellationToken).ConfigureAwait(false)).GetDatabase();

    public async Task<ISubscriber> GetSubscriberAsync(CancellationToken cancellationToken) =>
        (await ConnectAsync(cancellationToken).ConfigureAwait(false)).GetSubscriber();

    /// <summary>Subscribes to a channel, and leaves nothing behind where that fails.</summary>
    public async Task<ChannelMessageQueue> SubscribeAsync(RedisChannel channel, CancellationToken cancellationToken)
    {
        var subscriber = await GetSubscriberAsync(cancellationToken).ConfigureAwait(false);
        Action<RedisChannel, RedisValue> asking = static (_, _) => { };
        try
        {
            // The client registers a queue before it asks the server, and keeps it though that fails; and only who has a queue can remove
            // it. A handler can be removed in any case, so one asks. The queue then finds the channel subscribed to, and cannot fail.
            await subscriber.SubscribeAsync(channel, asking).WaitAsync(cancellationToken).ConfigureAwait(false);
            return subscriber.Subscribe(channel, CommandFlags.FireAndForget);
        }
        catch (Exception exception) when (IsRedis(exception))
        {
            throw Failed(exception);
        }
        finally
        {
            await UnsubscribeAsync(() => subscriber.UnsubscribeAsync(channel, asking, CommandFlags.FireAndForget)).ConfigureAwait(false);
        }
    }

    /// <summary>Lets go of a queue, whether or not Redis can be told.</summary>
    public static Task UnsubscribeAsync(ChannelMessageQueue queue) => UnsubscribeAsync(() => queue.UnsubscribeAsync());

    public async Task<RedisResult> EvaluateAsync(string script, RedisKey[] keys, RedisValue[] arguments, CancellationToken cancellationToken)
    {
        var database = await GetDatabaseAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await database.ScriptEvaluateAsync(script, keys, arguments, CommandFlags.DemandMaster)
                .WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (IsRedis(exception))
        {
            throw Failed(exception);
        }
    }

    /// <summary>Whether an exception is one of the client's, to be given to <see cref="Failed"/>.</summary>
    public static bool IsRedis(Exception exception) =>
        exception is RedisException or RedisTimeoutException or ObjectDisposedException or System.Net.Sockets.SocketException;

    public static TopicEngineException Failed(Exception exception) => exception switch
    {
        // What a server says begins with a word for the kind of error, and has no secrets.
        RedisServerException server => new TopicEngineException($"Redis refused: {server.Message}", server),
        RedisTimeoutException => new TopicEngineException("Redis did not answer in time; nobody knows whether it did what it was asked.", exception),
        ObjectDisposedException => new TopicEngineException("The connection to Redis was closed by the application.", exception),
        _ => new TopicEngineException("Redis cannot be reached.", exception),
    };

    /// <summary>Whether it may help to try again in a while.</summary>
    public static bool IsTransient(TopicEngineException exception) => exception.InnerException switch
    {
        RedisServerException server => server.Message.AsSpan() is var text
            && (text.StartsWith("LOADING") || text.StartsWith("READONLY") || text.StartsWith("MASTERDOWN") || text.StartsWith("CLUSTERDOWN")
                || text.StartsWith("TRYAGAIN") || text.StartsWith("BUSY ")),
        RedisConnectionException or RedisTimeoutException or System.Net.Sockets.SocketException => true,
        _ => false,
    };

    public async ValueTask DisposeAsync()
    {
        Task<IConnectionMultiplexer>? connecting;
        lock (_lock)
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
            connecting = _connecting;
        }

        if (connecting is null)
            return;
        try
        {
            var multiplexer = await connecting.ConfigureAwait(false);
            multiplexer.ConnectionRestored -= OnRestored;
            multiplexer.ConnectionFailed -= OnFailed;
            multiplexer.ConfigurationChanged -= OnConfigurationChanged;
            if (options.ConnectionFactory is null)
                await multiplexer.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception)
        {
            // It never connected, and whoever asked was told why.
        }
    }

    private static async Task UnsubscribeAsync(Func<Task> unsubscribe)
    {
        try
        {
            await unsubscribe().ConfigureAwait(false);
        }
        catch (Exception exception) when (IsRedis(exception))
        {
            // Whatever still arrives finds nobody.
        }
    }

    private async Task<IConnectionMultiplexer> ConnectAsync(CancellationToken cancellationToken)
    {
        Task<IConnectionMultiplexer> connecting;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, typeof(RedisTopicEngine));
            if (_connecting is null or { IsFaulted: true } or { IsCanceled: true })
                _connecting = Task.Run(StartAsync, CancellationToken.None);
            connecting = _connecting;
        }

        if (connecting.IsCompletedSuccessfully)
            return connecting.Result;
        try
        {
            return await connecting.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (IsRedis(exception))
        {
            throw Failed(exception);
        }
    }

    private async Task<IConnectionMultiplexer> StartAsync()
    {
        if (!options.Configuration.ChannelPrefix.IsNullOrEmpty)
            throw new InvalidOperationException("A ChannelPrefix would hide from nodes what scripts publish: use RedisTopicOptions.KeyPrefix.");
        var multiplexer = options.ConnectionFactory is { } factory
            ? await factory().ConfigureAwait(false)
            : await ConnectionMultiplexer.ConnectAsync(options.Configuration).ConfigureAwait(false);
        multiplexer.ConnectionRestored += OnRestored;
        multiplexer.ConnectionFailed += OnFailed;
        multiplexer.ConfigurationChanged += OnConfigurationChanged;
        await WaitForNoticesAsync(multiplexer).ConfigureAwait(false);
        return multiplexer;
    }

    // The connection for notices may be there a moment after the one for commands; whoever subscribed in between would be refused.
    private static async Task WaitForNoticesAsync(IConnectionMultiplexer multiplexer)
    {
        var subscriber = multiplexer.GetSubscriber();
        var began = Environment.TickCount64;
        while (multiplexer.IsConnected && !subscriber.IsConnected() && Environment.TickCount64 - began < multiplexer.TimeoutMilliseconds)
            await Task.Delay(5).ConfigureAwait(false);
    }

    private void OnRestored(object? sender, ConnectionFailedEventArgs args)
    {
        Log.Restored(logger, args.ConnectionType);
        Restored?.Invoke();
    }

    // Another server may be primary now, with less history than the one before.
    private void OnConfigurationChanged(object? sender, EndPointEventArgs args) => Restored?.Invoke();

    private void OnFailed(object? sender, ConnectionFailedEventArgs args)
    {
        Log.Lost(logger, args.ConnectionType, args.FailureType);
        Lost?.Invoke();
    }

    private static partial class Log
    {
        [LoggerMessage(RealtimeEventIds.RedisConnectionLost, LogLevel.Warning, "The {Type} connection to Redis is lost ({Failure}). Clients stay; what is published meanwhile fails or waits.", EventName = nameof(RealtimeEventIds.RedisConnectionLost))]
        public static partial void Lost(ILogger logger, ConnectionType type, ConnectionFailureType failure);

        [LoggerMessage(RealtimeEventIds.RedisConnectionRestored, LogLevel.Information, "The {Type} connection to Redis is back.", EventName = nameof(RealtimeEventIds.RedisConnectionRestored))]
        public static partial void Restored(ILogger logger, ConnectionType type);
    }
}
