using RealtimeKit.AspNetCore;
using RealtimeKit.Topics;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Samples.Showcase.Pages;

/// <summary>A room is a topic: everybody reads the same log, and whoever comes in reads its end first.</summary>
internal static class Chat
{
    private const string Room = "chat";
    private static readonly People People = new(limit: 100);

    public static void Add(IServiceCollection services) => services.AddTopics(topics => topics.Topic(Room, room => room.HistoryCount = 100));

    public static void Map(WebApplication app)
    {
        var topics = app.Services.GetRequiredService<TopicHub>();
        var options = new WebSocketEndpointOptions { Connection = { MaxMessageSize = 2 * 1024 } };
        app.MapWebSocket("/chat/live", options, async (connection, http) =>
        {
            if (!People.TryAdd(http.Request.Query["name"], out var name))
            {
                await connection.CloseAsync((System.Net.WebSockets.WebSocketCloseStatus)4409, "The room is full, or somebody has this name.");
                return;
            }

            try
            {
                // The last lines, then whatever comes: one cursor for both, so that nothing falls between them.
                var history = await topics.GetOldestCursorAsync([Room]);
                await using var lines = await topics.SubscribeAsync(new WebSocketTopicSubscriber(connection), [Room], history);
                await SayAsync(new ChatEvent("joined", name, "", People.Names));

                var rate = new RateLimit(perSecond: 5, burst: 10);
                await foreach (var message in connection.ReadAllAsync())
                {
                    if (rate.TryTake() && message.GetText().Trim() is { Length: > 0 } text)
                        await SayAsync(new ChatEvent("line", name, text, null));
                }
            }
            finally
            {
                People.Remove(name);
                await SayAsync(new ChatEvent("left", name, "", People.Names));
            }
        });

        ValueTask<TopicPosition> SayAsync(ChatEvent said) => topics.PublishAsync(Room, said, ShowcaseJson.Default.ChatEvent);
    }
}
