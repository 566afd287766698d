using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RealtimeKit.Redis;
using RealtimeKit.Topics;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Keeps an application's topics in Redis.</summary>
public static class RedisTopicsBuilderExtensions
{
    /// <summary>Keeps topics in Redis 7 or later, so that several machines share them.</summary>
    /// <param name="builder">What <c>AddTopics</c> gave.</param>
    /// <param name="connection">
    /// Where Redis is, as StackExchange.Redis writes it: <c>localhost:6379</c>, <c>host:6380,ssl=true,user=…,password=…</c>.
    /// </param>
    /// <param name="configure">Sets the options.</param>
    /// <returns><paramref name="builder"/>.</returns>
    /// <exception cref="ArgumentException">The connection string cannot be read. The exception does not hold it.</exception>
    public static TopicsBuilder AddRedis(this TopicsBuilder builder, string connection, Action<RedisTopicOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(connection);
        var configuration = RedisTopicOptions.CreateConfiguration(connection);
        builder.Services.Configure<RedisTopicOptions>(options =>
        {
            options.Configuration = configuration;
            configure?.Invoke(options);
        });
        builder.Services.TryAddSingleton(static services => new RedisTopicEngine(
            services.GetRequiredService<IOptions<RedisTopicOptions>>().Value,
            services.GetRequiredService<IOptions<TopicsOptions>>().Value,
            services.GetService<ILogger<RedisTopicEngine>>(),
            services.GetService<IMeterFactory>()));
        builder.Services.Replace(ServiceDescriptor.Singleton<ITopicEngine>(static services => services.GetRequiredService<RedisTopicEngine>()));
        return builder;
    }
}
