using RealtimeKit.AspNetCore;
using RealtimeKit.Topics;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Samples.Showcase.Pages;

/// <summary>A room is a topic. Everybody reads one log; whoever comes in reads its end first.</summary>
internal static class Chat
{
    private const string Room = "chat";
    private static readonly People People = new(limit: 100);

    public static void Add(IServiceCollection services) =>
        services.AddTopics(topics => topics.Topic(Room, room => room.HistoryCount = 100));

    public static void Map(WebApplication app)
    {
        var topics = app.Services.GetRequiredService<TopicHub>();
        var options = new WebSocketEndpointOptions { Connection = { MaxMessageSize = 2 * 1024 } };
        app.MapWebSocket("/chat/live", options, async (connection, http) =>
        {
            if (!People.TryAdd(http.Request.Query["name"], out var name))
            {
                await connection.CloseAsync(4409, "This name is taken, or the room full.");
                return;
            }

            try
            {
                // The last lines, then whatever comes: one cursor, so that nothing falls between.
                var history = await topics.GetOldestCursorAsync([Room]);
                var client = new WebSocketTopicSubscriber(connection);
                await using var lines = await topics.SubscribeAsync(client, [Room], history);
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

        ValueTask<TopicPosition> SayAsync(ChatEvent said) =>
            topics.PublishAsync(Room, said, ShowcaseJson.Default.ChatEvent);
    }
}
