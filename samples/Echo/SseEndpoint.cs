using System.Globalization;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using RealtimeKit.AspNetCore;

namespace RealtimeKit.Samples.Echo;

/// <summary>
/// /sse?count=N&amp;size=BYTES&amp;interval=MS: N events with the ids 1 to N, going on after the client's last one; then the response ends, and
/// who has seen them all gets 204. <c>count=0</c> holds the stream open, with heartbeats.
/// </summary>
internal static class SseEndpoint
{
    // An echo has no secrets: any page may read it. An application should not do this.
    private static readonly ServerSentEventEndpointOptions Options = new() { Origins = OriginPolicy.Any };

    public static void MapSse(this IEndpointRouteBuilder endpoints) => endpoints.MapServerSentEvents("/sse", Options, Open);

    private static IAsyncEnumerable<SseItem<string>>? Open(ServerSentEventRequest request, HttpContext http)
    {
        var query = http.Request.Query;
        if (!TryRead(query, "count", 10, out var count) || !TryRead(query, "size", 16, out var size) || !TryRead(query, "interval", 0, out var interval))
        {
            http.Response.StatusCode = StatusCodes.Status400BadRequest;
            return null;
        }

        _ = int.TryParse(request.LastEventId, NumberStyles.None, CultureInfo.InvariantCulture, out var last);
        return count > 0 && last >= count ? null : Events(last, count, new string('x', size), TimeSpan.FromMilliseconds(interval));
    }

    private static async IAsyncEnumerable<SseItem<string>> Events(
        int last, int count, string data, TimeSpan interval, [EnumeratorCancellation] CancellationToken closed = default)
    {
        for (var id = last + 1; id <= count; id++)
        {
            if (interval > TimeSpan.Zero)
                await Task.Delay(interval, closed);
            yield return new SseItem<string>(data) { EventId = id.ToString(CultureInfo.InvariantCulture) };
        }

        if (count == 0)
            await Task.Delay(Timeout.Infinite, closed);
    }

    private static bool TryRead(IQueryCollection query, string name, int missing, out int value)
    {
        value = missing;
        return !query.TryGetValue(name, out var text) || (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value <= 16 * 1024 * 1024);
    }
}
