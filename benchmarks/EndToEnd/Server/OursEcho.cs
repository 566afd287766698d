namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>RealtimeKit's own endpoint. Until RealtimeKit.AspNetCore has one, a run leaves it out and says so.</summary>
internal static class OursEcho
{
    public static bool IsAvailable => false;

    public static void AddServices(IServiceCollection services)
    {
    }

    public static void Map(WebApplication app) => throw new NotSupportedException();
}
