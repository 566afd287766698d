using RealtimeKit.AspNetCore;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Sets what holds for all connections of a host.</summary>
public static class RealtimeServiceCollectionExtensions
{
    /// <summary>Sets how many connections are taken from whom, and what happens when their authentication expires. Without it the defaults hold.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Sets the options.</param>
    /// <returns><paramref name="services"/>.</returns>
    public static IServiceCollection AddRealtime(this IServiceCollection services, Action<RealtimeOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        return services.Configure(configure);
    }
}
