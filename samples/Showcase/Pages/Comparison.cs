using RealtimeKit.AspNetCore;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Samples.Showcase.Pages;

/// <summary>The same beats, twenty a second, over both; each says what its connection has sent so far.</summary>
internal static class Comparison
{
    public static void Add(IServiceCollection services) =>
        services.AddSingleton(new Scissors(limit: 1000));

    public static void Map(WebApplication app)
    {
        var json = ShowcaseJson.Default.Beat;
        var scissors = app.Services.GetRequiredService<Scissors>();

        app.MapWebSocket("/comparison/socket", async (connection, http) =>
        {
            using var thread = scissors.Hold(http);
            await foreach (var beat in Beats.After(null, connection.Closed))
                await connection.SendAsync(beat with { Bytes = http.BytesSent() }, json);
        });

        var options = new ServerSentEventEndpointOptions { Retry = TimeSpan.FromSeconds(1) };
        app.MapServerSentEvents("/comparison/events", options, async (events, request, http, closed) =>
        {
            using var thread = scissors.Hold(http);
            await foreach (var beat in Beats.After(request.LastEventId, closed))
            {
                var id = $"{beat.Number}";
                var sent = beat with { Bytes = http.BytesSent() };
                await events.WriteAsync(sent, json, id: id, cancellationToken: closed);
            }
        });

        // A cut through both of a page's connections, as if a cable was pulled.
        app.MapPost("/comparison/cut", (HttpRequest request) =>
            OriginPolicy.SameOrigin.IsAllowed(request)
                ? Results.Ok(scissors.Cut(request.Query["key"]))
                : Results.StatusCode(StatusCodes.Status403Forbidden));
    }
}
