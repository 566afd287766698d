using RealtimeKit.Topics;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddTopics().AddRedis("localhost:6379");
var app = builder.Build();

app.MapTopics("/live");   // every machine serves every client
app.MapPost("/goal", async (ITopicPublisher topics) => { await topics.PublishAsync("scores", "1:0"); });

app.Run();
