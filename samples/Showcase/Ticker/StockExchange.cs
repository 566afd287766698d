using System.Globalization;
using RealtimeKit.Topics;

namespace RealtimeKit.Samples.Showcase;

/// <summary>Eight shares that nobody can buy. Each tick is one share's new price.</summary>
internal sealed class StockExchange(ITopicPublisher topics) : BackgroundService
{
    public const string Prices = "price";
    public const string News = "news";

    private static readonly string[] Shares = ["ALDR", "BRCH", "CEDR", "ELMS", "HAZL", "MAPL", "OAKS", "WLLW"];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var prices = Shares.ToDictionary(share => share, share => new Price(share, 100, 0, 0));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(25));
        for (var number = 1; await timer.WaitForNextTickAsync(stoppingToken); number++)
        {
            var share = Shares[Random.Shared.Next(Shares.Length)];
            var before = prices[share].Value;
            var now = Math.Round(Math.Clamp(before * (1 + (Random.Shared.NextDouble() - 0.5) / 100), 20, 500), 2);
            prices[share] = new Price(share, now, Math.Round(now - before, 2), number);
            await topics.PublishAsync(Prices, prices[share], ShowcaseJson.Default.Price, new TopicPublishOptions { Key = share }, stoppingToken);
            if ((int)(now / 10) != (int)(before / 10))
                await topics.PublishAsync(News, $"{share} {(now > before ? "rises above" : "falls below")} {Math.Max((int)(now / 10), (int)(before / 10)) * 10}", cancellationToken: stoppingToken);
        }
    }
}

/// <summary>A share's price.</summary>
/// <param name="Share">Which.</param>
/// <param name="Value">The price.</param>
/// <param name="Change">Against the one before.</param>
/// <param name="Number">Of the tick: one more for each price of any share.</param>
internal sealed record Price(string Share, double Value, double Change, long Number);
