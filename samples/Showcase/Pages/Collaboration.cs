using RealtimeKit.AspNetCore;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Samples.Showcase.Pages;

/// <summary>The server's half of npm's y-websocket: it keeps a room's updates, and understands none.</summary>
internal static class Collaboration
{
    public static void Add(IServiceCollection services) => services.AddSingleton(new YRooms(maxRooms: 64));

    public static void Map(WebApplication app)
    {
        var rooms = app.Services.GetRequiredService<YRooms>();
        var options = new WebSocketEndpointOptions { Connection = { MaxMessageSize = YRoom.MaxDocumentSize } };
        app.MapWebSocket("/collaboration/live/{room:maxlength(40)}", options, async (connection, http) =>
        {
            var room = (string)http.GetRouteValue("room")!;
            if (!rooms.TryEnter(room, connection, out var member))
            {
                await connection.CloseAsync(YRoom.TryLater, "There is no room left.");
                return;
            }

            await using (member)
            {
                await foreach (var message in connection.ReadAllAsync())
                {
                    if (member.Receive(message.Payload) is not { } refusal)
                        continue;
                    await connection.CloseAsync(refusal.Code, refusal.Reason);
                    return;
                }
            }
        });
    }
}
