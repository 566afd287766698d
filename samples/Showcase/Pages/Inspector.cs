using System.Net.WebSockets;
using RealtimeKit.AspNetCore;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Samples.Showcase.Pages;

/// <summary>A connection that does as it is told, and the library's own meters and spans beside it.</summary>
internal static class Inspector
{
    public static void Add(IServiceCollection services) =>
        services.AddSingleton<MeterReader>().AddSingleton<TraceReader>();

    public static void Map(WebApplication app)
    {
        var options = new WebSocketEndpointOptions { Connection = { MaxMessageSize = 16 * 1024 } };
        app.MapWebSocket("/inspector/live", options, async connection =>
        {
            var rate = new RateLimit(perSecond: 20, burst: 40);
            await foreach (var message in connection.ReadAllAsync())
            {
                if (!rate.TryTake())
                    continue;
                switch (message.Payload.Length < 64 ? message.GetText() : "")
                {
                    case "ping":    // beside the loop: a pong may stand behind messages to read first
                        _ = PingAsync(connection);
                        break;
                    case "close 1000":
                        await connection.CloseAsync(WebSocketCloseStatus.NormalClosure, "as you asked");
                        break;
                    case "close 1002":
                        await connection.CloseAsync(WebSocketCloseStatus.ProtocolError, "as if a rule was broken");
                        break;
                    case "abort":   // no Close frame: the browser says 1006
                        connection.Abort();
                        break;
                    default:        // over the limit nothing gets here: the library answers 1009
                        await connection.SendAsync(message.Payload, message.Type);
                        break;
                }
            }
        });

        var meters = app.Services.GetRequiredService<MeterReader>();
        app.MapServerSentEvents("/inspector/meters", ShowcaseJson.Default.IReadOnlyListMeasured, (_, _) =>
            meters.EachSecondAsync());

        var traces = app.Services.GetRequiredService<TraceReader>();
        app.MapServerSentEvents("/inspector/traces", ShowcaseJson.Default.IReadOnlyListTraced, (_, _) =>
            traces.EachSecondAsync());
    }

    // A Ping frame: browsers answer by themselves, pages never see it.
    private static async Task PingAsync(WebSocketConnection connection)
    {
        try
        {
            var roundTrip = await connection.PingAsync();
            await connection.SendAsync(new Ping(roundTrip.TotalMilliseconds), ShowcaseJson.Default.Ping);
        }
        catch (Exception error) when (error is WebSocketException or OperationCanceledException)
        {
            // The connection ended first.
        }
    }
}
