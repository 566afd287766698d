namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>RealtimeKit's own endpoint, as an application writes it.</summary>
internal static class OursEcho
{
    public static bool IsAvailable => true;

    public static void AddServices(IServiceCollection services)
    {
    }

    public static void Map(WebApplication app) => app.MapWebSocket("/ws", async connection =>
    {
        await foreach (var message in connection.ReadAllAsync())
            await connection.SendAsync(message.Payload, message.Type);
    });
}
