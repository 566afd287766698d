using System.Collections.Concurrent;
using System.Text;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using RealtimeKit.WebSockets;

static class Check
{
    public static async Task RunAsync(CancellationToken cancel)
    {
        var received = new ConcurrentBag<string>();
        await using var collector = await Site.StartAsync(app => app.MapPost("/v1/{signal}", async (HttpRequest request) =>
        {
            using var body = new MemoryStream();
            await request.Body.CopyToAsync(body);
            received.Add(Encoding.Latin1.GetString(body.ToArray()));
        }));
        await using var site = await Site.StartAsync(
            app => app.MapWebSocket("/echo", connection => connection.ReceiveAsync().AsTask()),
            builder =>
            {
                builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] = $"{collector.Address}";
                builder.Configuration["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf";
/*SNIPPET*/
            });
        await (await WebSocketClient.ConnectAsync(site.Ws("/echo"), null, cancel)).DisposeAsync();
        site.Services.GetRequiredService<MeterProvider>().ForceFlush(10_000).Should().BeTrue();
        site.Services.GetRequiredService<TracerProvider>().ForceFlush(10_000).Should().BeTrue();
        received.Should().Contain(body => body.Contains("realtimekit.websocket.active_connections"));
        received.Should().Contain(body => body.Contains("websocket connect"));
    }
}
