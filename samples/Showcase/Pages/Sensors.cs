using RealtimeKit.AspNetCore;

namespace RealtimeKit.Samples.Showcase.Pages;

/// <summary>Any async sequence is an event stream. This one begins after the last reading that the browser has.</summary>
internal static class Sensors
{
    public static void Add(IServiceCollection services)
    {
        services.AddSingleton<SensorLog>();
        services.AddHostedService(services => services.GetRequiredService<SensorLog>());
    }

    public static void Map(WebApplication app) =>
        app.MapServerSentEvents(
            "/sensors/live",
            ShowcaseJson.Default.Reading,
            (request, http) => http.RequestServices.GetRequiredService<SensorLog>().After(request.LastEventId));
}
