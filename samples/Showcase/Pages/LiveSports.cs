using RealtimeKit.AspNetCore;
using RealtimeKit.Topics;

namespace RealtimeKit.Samples.Showcase.Pages;

/// <summary>A topic for each match, one stream: the browser's own Last-Event-ID brings back what was missed.</summary>
internal static class LiveSports
{
    public static void Add(IServiceCollection services)
    {
        services.AddTopics(topics => topics.Topic("sports/*", match => match.HistoryCount = 1000));
        services.AddSingleton<MatchDay>();
        services.AddHostedService(services => services.GetRequiredService<MatchDay>());
    }

    public static void Map(WebApplication app)
    {
        app.MapTopics("/sports/live", live =>
        {
            live.Topics = MatchDay.Topics;
            live.AllowNamedTopics = false;
            live.ServerSentEvents = new() { Retry = TimeSpan.FromSeconds(1) };
        });

        // What a page begins with: the scores, and the cursor that belongs to them.
        app.MapGet("/sports/table", (MatchDay day) =>
            TypedResults.Json(day.Table(), ShowcaseJson.Default.MatchTable));
    }
}
