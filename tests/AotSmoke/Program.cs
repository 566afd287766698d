// Uses every package, as one program that is compiled ahead of time: each line that it writes is a part that works.
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text.Json.Serialization;
using Microsoft.Extensions.DependencyInjection.Extensions;
using RealtimeKit.Redis;
using RealtimeKit.ServerSentEvents;
using RealtimeKit.Topics;
using RealtimeKit.WebSockets;

var builder = WebApplication.CreateSlimBuilder(args);
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.WebHost.UseUrls("http://127.0.0.1:0");
builder.Services.AddTopics();
var app = builder.Build();
app.MapWebSocket("/echo", EchoAsync);
app.MapServerSentEvents("/goals", SmokeJson.Default.Goal, static (_, _) => GoalsAsync());
app.MapTopics("/live");
await app.StartAsync();
var address = app.Urls.Single();
Console.WriteLine($"started after {(DateTime.Now - Process.GetCurrentProcess().StartTime).TotalMilliseconds:F0} ms");

await CheckWebSocketAsync($"ws{address[4..]}/echo", compression: true);
Console.WriteLine("websocket");
await CheckEventsAsync($"{address}/goals");
Console.WriteLine("events");

var hub = app.Services.GetRequiredService<TopicHub>();
var cursor = await hub.GetCursorAsync(["scores"]);
await hub.PublishAsync("scores", new Goal("Ada", 1), SmokeJson.Default.Goal);
await using (var live = new ServerSentEventClient(new Uri($"{address}/live?topic=scores&lastEventId={cursor}")))
{
    await foreach (var item in live.ReadAllAsync(SmokeJson.Default.Goal))
    {
        if (item.EventType != "scores")
            continue;
        Check(item.Data == new Goal("Ada", 1));
        break;
    }
}

Console.WriteLine("topics");
await app.StopAsync();

using var stop = new CancellationTokenSource();
var port = FreePort();
var listener = new HttpListener { Prefixes = { $"http://127.0.0.1:{port}/" } };
var running = listener
    .MapWebSocket("/echo", EchoAsync)
    .MapServerSentEvents("/goals", SmokeJson.Default.Goal, static _ => GoalsAsync())
    .RunAsync(stop.Token);
await CheckWebSocketAsync($"ws://127.0.0.1:{port}/echo", compression: false);
await CheckEventsAsync($"http://127.0.0.1:{port}/goals");
await stop.CancelAsync();
await running;
Console.WriteLine("httplistener");

// No Redis answers at port 1: the engine is made, connects, and says so.
var services = new ServiceCollection();
services.AddLogging();
services.AddTopics().AddRedis("127.0.0.1:1,connectTimeout=200,connectRetry=0,abortConnect=false");
services.TryAddSingleton<RedisTopicHealthCheck>();
await using (var provider = (ServiceProvider)new DefaultServiceProviderFactory().CreateServiceProvider(services))
{
    try
    {
        await provider.GetRequiredService<ITopicPublisher>().PublishAsync("scores", "1:0");
        Check(false);
    }
    catch (TopicEngineException)
    {
        Console.WriteLine("redis");
    }
}

Console.WriteLine("done");

static async Task EchoAsync(WebSocketConnection connection)
{
    await foreach (var message in connection.ReadAllAsync())
        await connection.SendAsync(message.Payload, message.Type);
}

static async IAsyncEnumerable<Goal> GoalsAsync()
{
    yield return new Goal("Ada", 1);
    await Task.Yield();
    yield return new Goal("Grace", 2);
}

static async Task CheckWebSocketAsync(string address, bool compression)
{
    var options = new WebSocketClientOptions();
    if (compression)
        options.Connection.Compression = new();
    await using var connection = await WebSocketClient.ConnectAsync(new Uri(address), options);
    var text = string.Concat(Enumerable.Repeat("Grüße, ", 100));
    await connection.SendAsync(text);
    await connection.SendAsync(new Goal("Ada", 1), SmokeJson.Default.Goal);
    var first = await connection.ReceiveAsync();
    Check(first.GetText() == text);
    var second = await connection.ReceiveAsync();
    Check(second.Deserialize(SmokeJson.Default.Goal) == new Goal("Ada", 1));
    Check((await connection.CloseAsync(WebSocketCloseStatus.NormalClosure)).IsClean);
}

static async Task CheckEventsAsync(string address)
{
    await using var client = new ServerSentEventClient(new Uri(address), new ServerSentEventClientOptions { Reconnect = false });
    var goals = new List<Goal?>();
    await foreach (var item in client.ReadAllAsync(SmokeJson.Default.Goal))
        goals.Add(item.Data);
    Check(goals is [{ Scorer: "Ada" }, { Scorer: "Grace", Minute: 2 }]);
}

static int FreePort()
{
    using var socket = new TcpListener(IPAddress.Loopback, 0);
    socket.Start();
    return ((IPEndPoint)socket.LocalEndpoint).Port;
}

static void Check(bool isRight, [System.Runtime.CompilerServices.CallerArgumentExpression(nameof(isRight))] string? what = null)
{
    if (!isRight)
        throw new InvalidOperationException($"Not so: {what}");
}

internal sealed record Goal(string Scorer, int Minute);

[JsonSerializable(typeof(Goal))]
internal sealed partial class SmokeJson : JsonSerializerContext;
