using System.Reflection;
using System.Runtime.CompilerServices;
using StackExchange.Redis;

namespace RealtimeKit.Redis;

/// <summary>How topics are kept in Redis. What holds for the topics themselves (history, who may do what) is in the topics' own options.</summary>
public sealed class RedisTopicOptions
{
    private const int MaxPrefixLength = 64;

    /// <summary>
    /// Where Redis is and how to reach it. <c>AddRedis</c> fills it from its connection string, with <c>AbortOnConnectFail</c> off and
    /// <c>BacklogPolicy.FailFast</c>, so that an application starts without Redis and a publish without connection fails at once. Its
    /// <c>ChannelPrefix</c> must stay empty: channels, as keys, begin with <see cref="KeyPrefix"/>. Default: localhost:6379.
    /// </summary>
    public ConfigurationOptions Configuration { get; set => field = value ?? throw new ArgumentNullException(nameof(value)); } =
        CreateConfiguration("localhost:6379");

    /// <summary>
    /// Gives the connection, for those who make it themselves; it stays theirs to dispose. Called when it is first needed, and again after
    /// it has thrown. Default: <see langword="null"/>, the engine connects by <see cref="Configuration"/>.
    /// </summary>
    public Func<Task<IConnectionMultiplexer>>? ConnectionFactory { get; set; }

    /// <summary>
    /// What the names of all keys and channels begin with, followed by a colon. Applications that share a Redis see each other's topics if
    /// they share the prefix, and only then. Default: the name of the entry assembly, so that two applications do not.
    /// </summary>
    /// <exception cref="ArgumentException">The value is not 1 to 64 ASCII letters, digits, dots, hyphens and underscores.</exception>
    public string KeyPrefix
    {
        get;
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            // No colon, so that no prefix begins another's keys; no brace, which would choose the slot of all of them.
            if (value.Length is 0 or > MaxPrefixLength || !value.All(IsAllowedInPrefix))
                throw new ArgumentException("A key prefix has 1 to 64 ASCII letters, digits, dots, hyphens and underscores.", nameof(value));
            field = value;
        }
    } = DefaultPrefix();

    /// <summary>
    /// How long a publish is tried again while Redis cannot be reached, before it fails; a publication without a producer id gets one for
    /// that, so that it is not stored twice. Default: 0, it fails at once.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative or more than 1 hour.</exception>
    public TimeSpan PublishRetryTime { get; set => field = InRange(value, TimeSpan.Zero, TimeSpan.FromHours(1)); } = TimeSpan.Zero;

    /// <summary>
    /// How often each topic with subscribers on this node is compared with Redis, for notices that were lost without the connection being
    /// lost, and for history that was. Default: 10 s.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 100 ms or more than 1 hour.</exception>
    public TimeSpan SweepInterval { get; set => field = InRange(value, TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1)); } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// The largest payload, in bytes, that is announced whole; nodes with subscribers read larger ones. Default: 8 KiB. More saves nodes a
    /// read, and costs Redis the copies that it holds for slow nodes (<c>client-output-buffer-limit pubsub</c>).
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative or more than 1 MiB.</exception>
    public int MaxNoticePayloadSize { get; set => field = InRange(value, 0, 1 << 20); } = 8 * 1024;

    /// <summary>
    /// How many producers of a topic are remembered for idempotence; the one that was silent the longest is forgotten first, and could then
    /// publish twice. Default: 1,000.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not between 1 and 1,000,000.</exception>
    public int MaxProducersPerTopic { get; set => field = InRange(value, 1, 1_000_000); } = 1000;

    /// <summary>How long a producer that is silent is remembered. Default: 10 minutes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1 s or more than 30 days.</exception>
    public TimeSpan ProducerLifetime { get; set => field = InRange(value, TimeSpan.FromSeconds(1), TimeSpan.FromDays(30)); } = TimeSpan.FromMinutes(10);

    internal static ConfigurationOptions CreateConfiguration(string text)
    {
        ConfigurationOptions configuration;
        try
        {
            configuration = ConfigurationOptions.Parse(text);
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or OverflowException)
        {
            // Neither the text nor what its parser says of it: both may hold a password.
            throw new ArgumentException("The Redis connection string cannot be read. It is not shown here, as it may hold a password.", nameof(text));
        }

        configuration.AbortOnConnectFail = false;
        configuration.BacklogPolicy = BacklogPolicy.FailFast;
        configuration.IncludeDetailInExceptions = false;
        // One connection for each node: it may knock often.
        configuration.ReconnectRetryPolicy = new LinearRetry(500);
        configuration.HeartbeatInterval = TimeSpan.FromMilliseconds(500);
        return configuration;
    }

    private static string DefaultPrefix()
    {
        var name = new string([.. (Assembly.GetEntryAssembly()?.GetName().Name ?? "").Where(IsAllowedInPrefix).Take(MaxPrefixLength)]);
        return name.Length > 0 ? name : "RealtimeKit";
    }

    private static bool IsAllowedInPrefix(char character) => char.IsAsciiLetterOrDigit(character) || character is '.' or '-' or '_';

    private static T InRange<T>(T value, T minimum, T maximum, [CallerMemberName] string name = "")
        where T : IComparable<T>
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, minimum, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, maximum, name);
        return value;
    }
}
