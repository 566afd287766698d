using System.Diagnostics;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>How many subscribers a server has, and the number of its last message.</summary>
internal sealed record FanOutState(int Subscribers, long Published);

/// <summary>
/// <c>/publish?count=N&amp;size=B&amp;interval=MS</c> publishes inside the server, one publisher at a time; <c>/state</c> tells
/// <see cref="FanOutState"/>.
/// </summary>
internal static class FanOutEndpoints
{
    public static void Map(WebApplication app, IFanOut fanOut)
    {
        fanOut.Map(app);
        var published = 0L;
        app.MapGet("/state", () => Results.Json(new FanOutState(fanOut.Subscribers, published)));
        app.MapGet("/publish", async (int count, int size, int interval) =>
        {
            var start = Stopwatch.GetTimestamp();
            for (var i = 0; i < count; i++)
            {
                await fanOut.PublishAsync(FanOutMessage.Create(++published, size));
                var wait = (interval * (i + 1)) - Stopwatch.GetElapsedTime(start).TotalMilliseconds;
                if (wait >= 1)
                    await Task.Delay((int)wait);
            }
            return Results.NoContent();
        });
    }
}
