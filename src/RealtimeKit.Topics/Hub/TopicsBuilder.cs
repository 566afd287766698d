using Microsoft.Extensions.DependencyInjection;

namespace RealtimeKit.Topics;

/// <summary>What <c>AddTopics</c> gives: where an engine is chosen.</summary>
public sealed class TopicsBuilder
{
    internal TopicsBuilder(IServiceCollection services) => Services = services;

    /// <summary>The application's services.</summary>
    public IServiceCollection Services { get; }
}
