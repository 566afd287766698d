using System.Security.Claims;

namespace RealtimeKit.Topics;

/// <summary>How to subscribe. Immutable: one instance may serve any number of subscriptions.</summary>
public sealed class TopicSubscribeOptions
{
    internal static TopicSubscribeOptions Default { get; } = new();

    /// <summary>
    /// For whom: the topics' <see cref="TopicOptions.AuthorizeSubscribe"/> is asked about it. <see langword="null"/>, the default, is the
    /// application itself, which is not asked: endpoints always name a user, if one without identity.
    /// </summary>
    public ClaimsPrincipal? User { get; init; }

    /// <summary>The connection's id, which publications can exclude (no echo). Default: none.</summary>
    public string? ConnectionId { get; init; }

    /// <summary>
    /// Whether the subscription ends (<see cref="TopicSubscriptionEnd.Gap"/>) instead of skipping anything, for subscribers that cannot be
    /// told. Default: <see langword="false"/>.
    /// </summary>
    public bool EndAtGap { get; init; }
}
