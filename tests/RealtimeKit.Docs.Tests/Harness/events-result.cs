using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json.Serialization;
using RealtimeKit.AspNetCore;

static class Check
{
    public static async Task RunAsync()
    {
        
        await using var site = await Site.StartAsync(app =>
        {
/*SNIPPET*/
        }, builder => builder.Services.AddSingleton<Ticker>());
        await using var ticks = await EventReader.OpenAsync(site.Uri("/rooms/7"), "41");
        var tick = await ticks.ReadAsync();
        (tick.EventId, tick.Data).Should().Be(("42", """{"Price":42}"""));
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

