using RealtimeKit.AspNetCore;

namespace RealtimeKit.Samples.Showcase.Pages;

/// <summary>Any async sequence is an event stream: this one begins after the last reading that a tab has.</summary>
internal static class Sensors
{
    public static void Add(IServiceCollection services)
    {
        services.AddSingleton<SensorLog>();
        services.AddHostedService(services => services.GetRequiredService<SensorLog>());
    }

    public static void Map(WebApplication app)
    {
        var sensors = app.Services.GetRequiredService<SensorLog>();
        app.MapServerSentEvents("/sensors/live", ShowcaseJson.Default.Reading, (request, http) =>
            sensors.After(request.LastEventId));
    }
}
