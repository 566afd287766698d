using System.Net;
using RealtimeKit.AspNetCore;
using RealtimeKit.Samples.Broadcast;
using RealtimeKit.Topics;

// dotnet run --project samples/Broadcast
// Two nodes:  … -- --redis localhost:6379    and    … -- --redis localhost:6379 --port 5091 --follow
if (BroadcastOptions.Parse(args) is not { } options)
{
    Console.Error.WriteLine("broadcast: [--port PORT] [--interval MILLISECONDS] [--redis HOST:PORT [--follow]]");
    return 2;
}

var builder = WebApplication.CreateSlimBuilder();
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, options.Port));
var topics = builder.Services.AddTopics(topics => topics.Topic("scores/*", scores => scores.HistoryCount = 1000));
if (options.Redis is not null)
    topics.AddRedis(options.Redis);
builder.Services.AddSingleton<League>();
builder.Services.AddHostedService<Reporter>();
if (!options.Follows)
    builder.Services.AddHostedService(services => ActivatorUtilities.CreateInstance<Referee>(services, options.Interval));

await using var app = builder.Build();
app.MapGet("/", () => Results.Stream(typeof(League).Assembly.GetManifestResourceStream("scoreboard.html")!, "text/html; charset=utf-8"));
app.MapTopics("/live", live => live.ServerSentEvents = new ServerSentEventEndpointOptions { Retry = TimeSpan.FromSeconds(1) });

// What a page is rendered with: the scores, and the cursor up to which they were read.
app.MapGet("/scores", async (League league, CancellationToken cancel) =>
{
    await league.IsKnown.WaitAsync(cancel);
    return TypedResults.Json(league.Snapshot(), BroadcastJson.Default.Snapshot);
});

// The button on the page: everybody's connections are lost, on all nodes, and come back.
app.MapPost("/cut", async (HttpRequest request, TopicHub hub) =>
{
    if (!OriginPolicy.SameOrigin.IsAllowed(request))
        return Results.StatusCode(StatusCodes.Status403Forbidden);
    foreach (var topic in League.Topics)
        await hub.Connections.DisconnectAsync(TopicConnectionSelector.ByTopic(topic), "cut by hand");
    return Results.NoContent();
});

await app.StartAsync();
Console.WriteLine($"Listening on {string.Join(", ", app.Urls)}");
await app.WaitForShutdownAsync();
return 0;
