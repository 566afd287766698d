using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RealtimeKit.Topics;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds topics to an application.</summary>
public static class TopicsServiceCollectionExtensions
{
    /// <summary>
    /// Adds <see cref="TopicHub"/> and <see cref="ITopicPublisher"/>, with the engine in process unless another <see cref="ITopicEngine"/> is
    /// registered. Calling it again adds to the options.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Sets the options.</param>
    /// <returns>Where an engine is chosen.</returns>
    public static TopicsBuilder AddTopics(this IServiceCollection services, Action<TopicsOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddOptions();
        if (configure is not null)
            services.Configure(configure);
        services.TryAddSingleton<ITopicEngine>(static services => new InProcessTopicEngine(services.GetRequiredService<IOptions<TopicsOptions>>().Value));
        services.TryAddSingleton(static services => new TopicHub(
            services.GetRequiredService<ITopicEngine>(),
            services.GetRequiredService<IOptions<TopicsOptions>>().Value,
            services.GetService<ILogger<TopicHub>>(),
            services.GetService<IMeterFactory>()));
        services.TryAddSingleton<ITopicPublisher>(static services => services.GetRequiredService<TopicHub>());
        return new TopicsBuilder(services);
    }
}
