using System.Globalization;
using System.Net;
using RealtimeKit.AspNetCore;
using RealtimeKit.Samples.Broadcast;
using RealtimeKit.Topics;

// dotnet run --project samples/Broadcast -- [--port 5090] [--interval MILLISECONDS]
if (!TryRead(args, "--port", 5090, out var port) || !TryRead(args, "--interval", 1000, out var interval))
{
    Console.Error.WriteLine("broadcast: [--port PORT] [--interval MILLISECONDS]");
    return 2;
}

var builder = WebApplication.CreateSlimBuilder();
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));
builder.Services.AddTopics(topics => topics.Topic("scores/*", scores => scores.HistoryCount = 1000));
builder.Services.AddSingleton(new League(TimeSpan.FromMilliseconds(interval)));
builder.Services.AddHostedService<Referee>();

await using var app = builder.Build();
app.MapGet("/", () => Results.Stream(typeof(League).Assembly.GetManifestResourceStream("scoreboard.html")!, "text/html; charset=utf-8"));
app.MapTopics("/live", live => live.ServerSentEvents = new ServerSentEventEndpointOptions { Retry = TimeSpan.FromSeconds(1) });

// What a page is rendered with: the scores, and the cursor from before they were read. What is told twice, the page knows by its number.
app.MapGet("/scores", async (League league, TopicHub topics) =>
{
    var cursor = await topics.GetCursorAsync(league.Topics);
    return TypedResults.Json(new Snapshot(cursor.ToString(), league.Scores), BroadcastJson.Default.Snapshot);
});

// The button on the page: everybody's connections are lost, and come back.
app.MapPost("/cut", async (HttpRequest request, League league, TopicHub topics) =>
{
    if (!OriginPolicy.SameOrigin.IsAllowed(request))
        return Results.StatusCode(StatusCodes.Status403Forbidden);
    foreach (var topic in league.Topics)
        await topics.Connections.DisconnectAsync(TopicConnectionSelector.ByTopic(topic), "cut by hand");
    return Results.NoContent();
});

await app.StartAsync();
Console.WriteLine($"Listening on {string.Join(", ", app.Urls)}");
await app.WaitForShutdownAsync();
return 0;

static bool TryRead(string[] args, string flag, int fallback, out int value)
{
    value = fallback;
    var index = Array.IndexOf(args, flag);
    return index < 0
        || (index + 1 < args.Length && int.TryParse(args[index + 1], NumberStyles.None, CultureInfo.InvariantCulture, out value));
}
