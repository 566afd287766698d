using System.Globalization;
using RealtimeKit.AspNetCore;
using RealtimeKit.ServerSentEvents;

namespace RealtimeKit.Samples.Echo;

/// <summary>
/// /sse?count=N&amp;size=BYTES&amp;interval=MS: N events with the ids 1 to N, after the client's last; then the response ends, and a client
/// that has them all gets 204. Without events (<c>count=0</c>) the stream stays open.
/// </summary>
internal static class SseEndpoint
{
    private static int _streams;

    public static int Streams => Volatile.Read(ref _streams);

    public static void MapSse(this IEndpointRouteBuilder endpoints, EchoOptions options) =>
        endpoints.MapServerSentEvents(
            "/sse",
            new ServerSentEventEndpointOptions
            {
                Origins = OriginPolicy.Any,
                Accept = (request, http) =>
                {
                    var refusal = Refusal(request.LastEventId, name => http.Request.Query[name], options.MaxMessage);
                    if (refusal != 0)
                        http.Response.StatusCode = refusal;
                    return ValueTask.FromResult(refusal == 0);
                },
            },
            (events, request, http, cancel) => WriteAsync(events, request.LastEventId, name => http.Request.Query[name], cancel));

    /// <summary>What cannot be served is said while the status may still be chosen.</summary>
    /// <returns>The status to refuse with; 0 for none.</returns>
    public static int Refusal(string? lastEventId, Func<string, string?> query, int maxSize)
    {
        if (!Parameters.TryRead(query, maxSize, out var parameters))
            return StatusCodes.Status400BadRequest;
        return parameters.Count == 0 || LastId(lastEventId) < parameters.Count ? 0 : StatusCodes.Status204NoContent;
    }

    public static async Task WriteAsync(ServerSentEventWriter events, string? lastEventId, Func<string, string?> query, CancellationToken cancel)
    {
        Interlocked.Increment(ref _streams);
        try
        {
            Parameters.TryRead(query, int.MaxValue, out var parameters);
            if (parameters.Count == 0)
                await Task.Delay(Timeout.Infinite, cancel);

            var prepared = PreparedServerSentEvent.Create(new string('x', parameters.Size));
            var last = LastId(lastEventId);
            for (var id = last + 1; id <= parameters.Count; id++)
            {
                if (parameters.Interval > 0 && id > last + 1)
                    await Task.Delay(parameters.Interval, cancel);
                await events.WriteAsync(prepared, id.ToString(CultureInfo.InvariantCulture), cancel);
            }
        }
        finally
        {
            Interlocked.Decrement(ref _streams);
        }
    }

    // An id that is none of ours says nothing about what the client has: it gets all.
    private static long LastId(string? lastEventId) =>
        long.TryParse(lastEventId, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0;

    private readonly record struct Parameters(int Count, int Size, int Interval)
    {
        public static bool TryRead(Func<string, string?> query, int maxSize, out Parameters parameters)
        {
            var isValid = TryRead(query, "count", 10, out var count)
                & TryRead(query, "size", 16, out var size)
                & TryRead(query, "interval", 0, out var interval);
            parameters = new Parameters(count, size, interval);
            return isValid && size <= maxSize;
        }

        private static bool TryRead(Func<string, string?> query, string name, int fallback, out int value)
        {
            value = fallback;
            return query(name) is not { } text || int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
        }
    }
}
