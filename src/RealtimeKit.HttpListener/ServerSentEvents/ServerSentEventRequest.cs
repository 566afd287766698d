using System.Net;

namespace RealtimeKit.Listener;

/// <summary>What a client asks of an event stream.</summary>
internal sealed class ServerSentEventRequest
{
    private static readonly ServerSentEventRequest FromTheStart = new(null);

    private ServerSentEventRequest(string? lastEventId) => LastEventId = lastEventId;

    public string? LastEventId { get; }

    /// <summary>Reads the header, or the query where a page was rendered with a cursor.</summary>
    /// <returns><see langword="null"/> where the cursor is malformed or too long.</returns>
    public static ServerSentEventRequest? Read(HttpListenerRequest request)
    {
        // The header is newer: a page's URL keeps its query when the browser reconnects. Header values come as Latin-1, and an id is UTF-8.
        if (request.Headers[RealtimeKit.LastEventId.Header] is { } header)
            return header.Length == 0 ? FromTheStart : Create(FromUtf8(header));
        return request.QueryString.GetValues(RealtimeKit.LastEventId.Parameter) switch
        {
            null or [null or ""] => FromTheStart,
            [var id] => Create(id),
            _ => null,
        };
    }

    private static ServerSentEventRequest? Create(string? id) =>
        id is not null && RealtimeKit.LastEventId.IsValid(id) ? new ServerSentEventRequest(id) : null;

    private static string FromUtf8(string header)
    {
        if (System.Text.Ascii.IsValid(header))
            return header;
        return System.Text.Encoding.UTF8.GetString(System.Text.Encoding.Latin1.GetBytes(header));
    }
}
