using System.Net.ServerSentEvents;
using RealtimeKit.ServerSentEvents;

static class Check
{
    public static async Task RunAsync(CancellationToken cancel)
    {
        await using var site = await Site.StartAsync(app => app.MapServerSentEvents("/ticks", (request, http) => request.LastEventId is "2" ? null : One(request.LastEventId)));
        site.UseForSnippets();
        Printed.Begin();
/*SNIPPET*/
        (await Printed.ReadAsync()).Should().Be("after nothing");
        (await Printed.ReadAsync()).Should().Be("after 1");
    }

    private static async IAsyncEnumerable<SseItem<string>> One(string? last)
    {
        await Task.Yield();
        yield return new SseItem<string>($"after {last ?? "nothing"}") { EventId = last is null ? "1" : "2", ReconnectionInterval = TimeSpan.FromMilliseconds(10) };
    }
}
