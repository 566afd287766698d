using RealtimeKit.AspNetCore;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Samples.Showcase.Pages;

/// <summary>Sixty steps a second; everybody gets the same frame, encoded once.</summary>
internal static class Game
{
    public static void Add(IServiceCollection services)
    {
        services.AddSingleton<World>();
        services.AddHostedService<GameLoop>();
    }

    public static void Map(WebApplication app)
    {
        var world = app.Services.GetRequiredService<World>();
        var options = new WebSocketEndpointOptions
        {
            // Whoever reads too slowly skips frames rather than see old ones.
            Connection = { MaxMessageSize = 64, SendBufferSize = 8 * 1024 },
        };
        app.MapWebSocket("/game/live", options, async connection =>
        {
            if (!world.TryEnter(connection, out var player))
            {
                await connection.CloseAsync(4409, "The field is full.");
                return;
            }

            try
            {
                await foreach (var message in connection.ReadAllAsync())
                    player.Read(message.Payload);
            }
            finally
            {
                world.Leave(player);
            }
        });
    }
}
