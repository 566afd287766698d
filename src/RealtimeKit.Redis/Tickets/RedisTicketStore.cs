using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using RealtimeKit.Topics;
using StackExchange.Redis;

namespace RealtimeKit.Redis;

/// <summary>
/// Keeps tickets in Redis 6.2 or later, so that one machine redeems what another has issued: a key for each, which expires by Redis' clock
/// and is read and deleted at once (<c>GETDEL</c>), on the primary. How many there may be is Redis' <c>maxmemory</c> to bound, with a policy
/// that evicts none (<c>noeviction</c>). Thread-safe.
/// </summary>
public sealed class RedisTicketStore : ITicketStore, IAsyncDisposable
{
    private readonly RedisConnection _connection;
    private readonly string _prefix;

    /// <summary>Creates a store, which connects when it is first needed.</summary>
    /// <param name="options">Where Redis is.</param>
    /// <param name="logger">Where lost connections are logged.</param>
    public RedisTicketStore(RedisTicketOptions options, ILogger<RedisTicketStore>? logger = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        _connection = new RedisConnection(options.Connection, logger ?? NullLogger<RedisTicketStore>.Instance);
        _prefix = options.KeyPrefix + ":ticket:";
    }

    /// <inheritdoc/>
    public async ValueTask<bool> TryAddAsync(string key, ReadOnlyMemory<byte> value, TimeSpan lifetime, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(lifetime, TimeSpan.Zero);
        try
        {
            var database = await _connection.GetDatabaseAsync(cancellationToken).ConfigureAwait(false);
            return await database.StringSetAsync(_prefix + key, value, lifetime, when: When.NotExists, flags: CommandFlags.DemandMaster)
                .WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (RedisServerException error) when (error.Message.StartsWith("OOM", StringComparison.Ordinal))
        {
            return false;
        }
        catch (Exception error) when (error is TopicEngineException || RedisConnection.IsRedis(error))
        {
            throw Failed(error);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<ReadOnlyMemory<byte>?> TakeAsync(string key, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(key);
        try
        {
            var database = await _connection.GetDatabaseAsync(cancellationToken).ConfigureAwait(false);

            // Not given up half-way: a ticket that is deleted and not handed over would be lost to its user, no more.
            var value = await database.StringGetDeleteAsync(_prefix + key, CommandFlags.DemandMaster).WaitAsync(cancellationToken).ConfigureAwait(false);
            return value.IsNull ? default(ReadOnlyMemory<byte>?) : (byte[])value!;
        }
        catch (Exception error) when (error is TopicEngineException || RedisConnection.IsRedis(error))
        {
            throw Failed(error);
        }
    }

    /// <summary>Closes the connection, unless it was the application's.</summary>
    /// <returns>Completes when it is closed.</returns>
    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    // The client's own exceptions name the command with its key, which is what a ticket's hash is for; ours name neither.
    private static TicketStoreException Failed(Exception error)
    {
        var failed = error as TopicEngineException ?? RedisConnection.Failed(error);
        return new TicketStoreException(failed.Message, failed);
    }
}
