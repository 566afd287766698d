using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using RealtimeKit.AspNetCore.Tests.WebSockets;
using RealtimeKit.Topics;

namespace RealtimeKit.AspNetCore.Tests.Topics;

/// <summary>Hosts that cannot upgrade and offer a WebSocket of their own.</summary>
public class TestServerTests
{
    [Fact(Timeout = Until.Bound)]
    public async Task Subscribe_OverTestServer_IsDelivered()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseTestServer();
        builder.Services.AddTopics();
        await using var app = builder.Build();
        app.MapTopics("/live");
        await app.StartAsync(Until.Cancelled);
        using var socket = await app.GetTestServer().CreateWebSocketClient().ConnectAsync(new Uri("ws://localhost/live?topic=a"), Until.Cancelled);
        using var http = app.GetTestClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/live?topic=a") { Headers = { { "Accept", "text/event-stream" } } };
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Until.Cancelled);
        await app.Services.GetRequiredService<ITopicPublisher>().PublishAsync("a", "hello");
        (await socket.ReceiveTextAsync()).Should().Be("hello");
        using var events = new StreamReader(await response.Content.ReadAsStreamAsync(Until.Cancelled));
        while (await events.ReadLineAsync(Until.Cancelled) is { } line && line != "data: hello")
            line.Should().NotBeNull();
    }
}
