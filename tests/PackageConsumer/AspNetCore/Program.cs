using RealtimeKit.Topics;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddTopics();
var app = builder.Build();

app.MapWebSocket("/echo", async connection =>
{
    await foreach (var message in connection.ReadAllAsync())
        await connection.SendAsync(message.Payload, message.Type);
});

app.MapServerSentEvents("/clock", async (events, closed) =>
{
    while (true)
    {
        await events.WriteAsync(DateTimeOffset.Now.ToString("T"));
        await Task.Delay(1000, closed);
    }
});

app.MapTopics("/live");   // GET /live?topic=scores, as a WebSocket or an EventSource
app.MapPost("/goal", async (ITopicPublisher topics) => { await topics.PublishAsync("scores", "1:0"); });

app.Run();
