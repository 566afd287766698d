using System.Diagnostics.CodeAnalysis;

namespace RealtimeKit.Topics;

/// <summary>A request is refused with a status of HTTP, and the message as its text.</summary>
[SuppressMessage("Design", "CA1032", Justification = "Never leaves the library.")]
[SuppressMessage("Design", "CA1064", Justification = "Never leaves the library.")]
internal sealed class TopicRefusedException(int statusCode, string reason) : Exception(reason)
{
    /// <summary>The status.</summary>
    public int StatusCode => statusCode;

    /// <summary>What an exception means to the client of an endpoint.</summary>
    /// <returns><see langword="null"/> where it is none of the client's business.</returns>
    public static TopicRefusedException? From(Exception error) => error switch
    {
        TopicRefusedException refused => refused,
        TopicAccessDeniedException denied => new TopicRefusedException(403, denied.Action == TopicAction.Publish
            ? "You may not publish to this topic."
            : "You may not subscribe to all of these topics: none was subscribed to."),
        TopicLimitException limit => new TopicRefusedException(400, limit.Message),
        TopicEngineException => new TopicRefusedException(503, "Topics are not available now. Try again."),
        TicketStoreException => new TopicRefusedException(503, "Tickets are not available now. Try again."),
        _ => null,
    };
}
