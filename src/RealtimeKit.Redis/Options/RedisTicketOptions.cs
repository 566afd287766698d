using StackExchange.Redis;

namespace RealtimeKit.Redis;

/// <summary>Where tickets are kept in Redis.</summary>
public sealed class RedisTicketOptions
{
    private readonly RedisTopicOptions _connection = new();

    /// <inheritdoc cref="RedisTopicOptions.Configuration"/>
    public ConfigurationOptions Configuration { get => _connection.Configuration; set => _connection.Configuration = value; }

    /// <inheritdoc cref="RedisTopicOptions.ConnectionFactory"/>
    public Func<Task<IConnectionMultiplexer>>? ConnectionFactory { get => _connection.ConnectionFactory; set => _connection.ConnectionFactory = value; }

    /// <summary>
    /// What the names of all keys begin with, followed by a colon. Applications that share a Redis accept each other's tickets if they share
    /// the prefix, and only then. Default: the name of the entry assembly, so that two applications do not.
    /// </summary>
    /// <exception cref="ArgumentException">The value is not 1 to 64 ASCII letters, digits, dots, hyphens and underscores.</exception>
    public string KeyPrefix { get => _connection.KeyPrefix; set => _connection.KeyPrefix = value; }

    internal RedisTopicOptions Connection => _connection;
}
