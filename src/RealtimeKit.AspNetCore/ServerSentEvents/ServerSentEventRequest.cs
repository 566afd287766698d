using System.Reflection;
using Microsoft.AspNetCore.Http;

namespace RealtimeKit.AspNetCore;

/// <summary>
/// What a client asks of an event stream. A minimal API may take one as a parameter; a request whose cursor is malformed is then
/// answered with 400.
/// </summary>
public sealed class ServerSentEventRequest : IBindableFromHttpContext<ServerSentEventRequest>
{
    /// <summary>
    /// The query parameter in which a client's cursor is looked for where it sends no <c>Last-Event-ID</c> header: a page that was
    /// rendered up to some event connects to <c>/events?lastEventId=…</c>, and the browser sends the header from the first reconnect on.
    /// </summary>
    public const string LastEventIdParameter = RealtimeKit.LastEventId.Parameter;

    /// <summary>How long a cursor may be, in UTF-16 units: 4,096.</summary>
    public const int MaxLastEventIdLength = RealtimeKit.LastEventId.MaxLength;

    private static readonly ServerSentEventRequest FromTheStart = new(null);

    private ServerSentEventRequest(string? lastEventId) => LastEventId = lastEventId;

    /// <summary>
    /// The id of the last event that the client has seen, after which the stream shall go on; <see langword="null"/> for a client that
    /// has seen none. It is the client's word: at most <see cref="MaxLastEventIdLength"/> long and without CR, LF and NUL, but otherwise
    /// anything.
    /// </summary>
    public string? LastEventId { get; }

    /// <summary>Reads a request: the <c>Last-Event-ID</c> header, or the query where a page was rendered with a cursor.</summary>
    /// <param name="context">The request.</param>
    /// <param name="parameter">The parameter that is bound; not looked at.</param>
    /// <returns>What the client asks; <see langword="null"/> where its cursor is malformed or too long.</returns>
    public static ValueTask<ServerSentEventRequest?> BindAsync(HttpContext context, ParameterInfo parameter)
    {
        ArgumentNullException.ThrowIfNull(context);
        return new ValueTask<ServerSentEventRequest?>(Read(context.Request));
    }

    internal static ServerSentEventRequest? Read(HttpRequest request)
    {
        // The header is newer: a page's URL keeps its query when the browser reconnects.
        IReadOnlyList<string?> values = request.Headers["Last-Event-ID"];
        if (values.Count == 0)
            values = RequestQuery.Find(request, LastEventIdParameter);
        if (values.Count == 0 || (values.Count == 1 && string.IsNullOrEmpty(values[0])))
            return FromTheStart;
        return values is [{ } id] && RealtimeKit.LastEventId.IsValid(id) ? new ServerSentEventRequest(id) : null;
    }
}
