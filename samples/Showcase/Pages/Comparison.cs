using System.Globalization;
using RealtimeKit.AspNetCore;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Samples.Showcase.Pages;

/// <summary>The same beats, twenty a second, over both. Each says how many bytes its connection has taken on the wire so far.</summary>
internal static class Comparison
{
    public static void Add(IServiceCollection services) => services.AddSingleton(new Scissors(limit: 1000));

    public static void Map(WebApplication app)
    {
        var scissors = app.Services.GetRequiredService<Scissors>();

        app.MapWebSocket("/comparison/socket", async (connection, http) =>
        {
            using var thread = scissors.Hold(http);
            await foreach (var beat in Beats.After(null, connection.Closed))
                await connection.SendAsync(beat with { Bytes = http.BytesSent() }, ShowcaseJson.Default.Beat);
        });

        var options = new ServerSentEventEndpointOptions { Retry = TimeSpan.FromSeconds(1) };
        app.MapServerSentEvents("/comparison/events", options, async (events, request, http, closed) =>
        {
            using var thread = scissors.Hold(http);
            await foreach (var beat in Beats.After(request.LastEventId, closed))
                await events.WriteAsync(beat with { Bytes = http.BytesSent() }, ShowcaseJson.Default.Beat, id: $"{beat.Number}", cancellationToken: closed);
        });

        // What the page needs besides: a clock to compare its own with, and a cut through both connections.
        app.MapGet("/comparison/clock", () => Results.Text(Beats.Now().ToString(CultureInfo.InvariantCulture)));
        app.MapPost("/comparison/cut", (HttpRequest request) =>
            OriginPolicy.SameOrigin.IsAllowed(request) ? Results.Ok(scissors.Cut(request.Query["key"])) : Results.StatusCode(StatusCodes.Status403Forbidden));
    }
}
