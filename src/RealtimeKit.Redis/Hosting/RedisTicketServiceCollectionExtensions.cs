using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RealtimeKit.Redis;
using RealtimeKit.Topics;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Keeps an application's tickets in Redis.</summary>
public static class RedisTicketServiceCollectionExtensions
{
    /// <summary>Keeps tickets in Redis, so that several machines share them. For an application with <c>AddTickets</c>, before or after it.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="connection">
    /// Where Redis is, as StackExchange.Redis writes it: <c>localhost:6379</c>, <c>host:6380,ssl=true,user=…,password=…</c>.
    /// </param>
    /// <param name="configure">Sets the options.</param>
    /// <returns><paramref name="services"/>.</returns>
    /// <exception cref="ArgumentException">The connection string cannot be read. The exception does not hold it.</exception>
    public static IServiceCollection AddRedisTickets(this IServiceCollection services, string connection, Action<RedisTicketOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrEmpty(connection);
        var configuration = RedisTopicOptions.CreateConfiguration(connection);
        services.AddOptions();
        services.Configure<RedisTicketOptions>(options =>
        {
            options.Configuration = configuration;
            configure?.Invoke(options);
        });
        services.TryAddSingleton(static provider => new RedisTicketStore(
            provider.GetRequiredService<IOptions<RedisTicketOptions>>().Value, provider.GetService<ILogger<RedisTicketStore>>()));
        return services.Replace(ServiceDescriptor.Singleton<ITicketStore>(static provider => provider.GetRequiredService<RedisTicketStore>()));
    }
}
