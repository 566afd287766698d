using System.Net;
using System.Threading.RateLimiting;
using RealtimeKit.AspNetCore;

static class Check
{
    public static async Task RunAsync(CancellationToken cancel)
    {
        await using var site = await Site.StartAsync(
            app => app.MapServerSentEvents("/events", (events, closed) => events.WriteAsync("x", cancellationToken: closed).AsTask()),
            builder =>
            {
/*SNIPPET*/
            });

        // One connection after the other would have a bucket each; these requests are all on one.
        var statuses = new List<HttpStatusCode>();
        for (var i = 0; i < 100; i++)
            statuses.Add((await site.Http.GetAsync(site.Uri("/events"), cancel)).StatusCode);
        statuses.Take(20).Should().AllBeEquivalentTo(HttpStatusCode.OK);
        statuses.Should().Contain(HttpStatusCode.TooManyRequests);
        site.Services.GetRequiredService<Microsoft.Extensions.Options.IOptions<RealtimeOptions>>().Value.MaxConnectionsPerUser.Should().Be(20);
    }
}
