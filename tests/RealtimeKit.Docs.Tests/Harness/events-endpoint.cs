using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json.Serialization;

static class Check
{
    public static async Task RunAsync()
    {
        var (ticker, log) = (new Ticker(), new Log());
        await using var site = await Site.StartAsync(app =>
        {
/*SNIPPET*/
        });
        await using var ticks = await EventReader.OpenAsync(site.Uri("/ticks"), "41");
        var tick = await ticks.ReadAsync();
        (tick.EventId, tick.Data).Should().Be(("42", """{"Price":42}"""));
        await using var lines = await EventReader.OpenAsync(site.Uri("/log"));
        (await lines.ReadAsync("state")).Data.Should().Be("started");
        (await lines.ReadAsync()).Data.Should().Be("a line");
    }
}

sealed record Tick(decimal Price);

[JsonSerializable(typeof(Tick))]
sealed partial class TickJson : JsonSerializerContext;

sealed class Ticker
{
    public async IAsyncEnumerable<SseItem<Tick>> Since(string? lastEventId, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        await Task.Yield();
        var next = int.Parse(lastEventId ?? "0") + 1;
        yield return new SseItem<Tick>(new Tick(next)) { EventId = $"{next}" };
        await Task.Delay(Timeout.Infinite, cancel);
    }
}

sealed class Log
{
    public async IAsyncEnumerable<string> FollowAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        yield return "a line";
        await Task.Delay(Timeout.Infinite, cancel);
    }
}
