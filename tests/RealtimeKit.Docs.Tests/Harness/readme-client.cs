using System.Net.ServerSentEvents;
using System.Reflection;

static class Check
{
    public static async Task RunAsync(MethodInfo program, CancellationToken cancel)
    {
        await using var site = await Site.StartAsync(app =>
        {
            app.MapWebSocket("/echo", async connection =>
            {
                await foreach (var message in connection.ReadAllAsync())
                    await connection.SendAsync(message.Payload, message.Type);
            });
            app.MapServerSentEvents("/count", (request, http) => request.LastEventId == "4" ? null : Two(int.Parse(request.LastEventId ?? "0")));
        });
        site.UseForSnippets();
        Printed.Begin();
        await Programs.RunAsync(program);
        foreach (var line in new[] { "hello", "1: event 1", "2: event 2", "3: event 3", "4: event 4" })
            (await Printed.ReadAsync()).Should().Be(line);
    }

    // Each connection ends after two events: the client must come back for the others, and ends at 204.
    private static async IAsyncEnumerable<SseItem<string>> Two(int last)
    {
        for (var n = last + 1; n <= last + 2; n++)
        {
            yield return new SseItem<string>($"event {n}") { EventId = $"{n}", ReconnectionInterval = TimeSpan.FromMilliseconds(10) };
            await Task.Yield();
        }
    }
}
