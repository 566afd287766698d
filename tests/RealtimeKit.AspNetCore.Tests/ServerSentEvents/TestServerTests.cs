using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RealtimeKit.AspNetCore.Tests.WebSockets;

namespace RealtimeKit.AspNetCore.Tests.ServerSentEvents;

public class TestServerTests
{
    [Fact(Timeout = Until.Bound)]
    public async Task Stream_OnTestServer_OpensAndDrains()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseTestServer();
        await using var app = builder.Build();
        var ended = new TaskCompletionSource();
        app.MapServerSentEvents("/sse", async (events, cancel) =>
        {
            await events.WriteAsync("first", cancellationToken: cancel);
            await Task.Delay(Timeout.Infinite, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            ended.SetResult();
        });
        await app.StartAsync(Until.Cancelled);
        using var http = app.GetTestClient();
        using var reader = new StreamReader(await http.GetStreamAsync("/sse", Until.Cancelled));
        foreach (var line in (string[])[": open", "", "retry: 3000", "", "data: first", ""])
            (await reader.ReadLineAsync(Until.Cancelled)).Should().Be(line);
        await app.StopAsync(Until.Cancelled);
        await ended.Task;
    }
}
