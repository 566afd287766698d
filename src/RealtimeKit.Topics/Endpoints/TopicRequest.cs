using System.Security.Claims;

namespace RealtimeKit.Topics;

/// <summary>What a client asks of an endpoint for topics, whatever the host.</summary>
internal sealed class TopicRequest
{
    /// <summary>Who asks; one without identity where nobody signed in.</summary>
    public required ClaimsPrincipal User { get; init; }

    /// <summary>Who that is, for the connection registry; <see langword="null"/> where nobody signed in.</summary>
    public required string? UserId { get; init; }

    /// <summary>The topics to begin with: valid names, each once.</summary>
    public required IReadOnlyList<string> Topics { get; init; }

    /// <summary>Where to go on; <see langword="null"/> for what is published from now on.</summary>
    public TopicCursor? After { get; init; }

    /// <summary>The value of a parameter of the query; <see langword="null"/> where it is not there or there several times.</summary>
    public required Func<string, string?> GetQuery { get; init; }

    /// <summary>The host's own request, for delegates of the application: an <c>HttpContext</c>, or what stands for it elsewhere.</summary>
    public required object Host { get; init; }
}
