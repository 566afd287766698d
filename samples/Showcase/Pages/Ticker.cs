using RealtimeKit.AspNetCore;
using RealtimeKit.Topics;

namespace RealtimeKit.Samples.Showcase.Pages;

/// <summary>Whoever reads too slowly gets the newest price of each share, and is told what was left out.</summary>
internal static class Ticker
{
    public static void Add(IServiceCollection services)
    {
        services.AddHostedService<StockExchange>();
        services.AddTopics(topics => topics
            .Topic(StockExchange.Prices, prices =>
            {
                prices.SlowConsumers = SlowConsumerPolicy.Conflate;
                prices.ConflationKey = price => price.Key;      // the share
                prices.MaxLag = 0;
            })
            .Topic(StockExchange.News, news => news.HistoryCount = 100));
    }

    public static void Map(WebApplication app)
    {
        var topics = app.Services.GetRequiredService<TopicHub>();
        app.MapServerSentEvents("/ticker/live", async (events, request, http, closed) =>
        {
            _ = TopicCursor.TryParse(request.LastEventId, out var cursor);
            var client = new ServerSentEventTopicSubscriber(events);
            await using var subscription = await topics.SubscribeAsync(
                new PacedSubscriber(client, http.Request),      // some tabs take their time
                [StockExchange.Prices, StockExchange.News],
                cursor,
                cancellationToken: closed);
            await Task.Delay(Timeout.Infinite, closed);
        });

        var rate = new RateLimit(perSecond: 2, burst: 10);
        app.MapPost("/ticker/news", async (HttpRequest request, ITopicPublisher publisher) =>
        {
            if (!OriginPolicy.SameOrigin.IsAllowed(request))
                return Results.StatusCode(StatusCodes.Status403Forbidden);
            if (await request.ReadTextAsync(maxLength: 200) is not { Length: > 0 } text)
                return Results.BadRequest();
            if (!rate.TryTake())
                return Results.StatusCode(StatusCodes.Status429TooManyRequests);
            await publisher.PublishAsync(StockExchange.News, text);
            return Results.Accepted();
        });
    }
}
