using System.Diagnostics;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using RealtimeKit.ServerSentEvents;
using RealtimeKit.Topics;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Observability.Tests;

/// <summary>What an application that exports through OpenTelemetry gets, with the two lines of docs/observability.md.</summary>
public class OpenTelemetryTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    public async Task Export_TrafficOfAllKinds_HasMetricsAndLinkedTraces()
    {
        var metrics = new List<Metric>();
        var spans = new List<Activity>();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddTopics();
        builder.Services.AddOpenTelemetry()
            .WithMetrics(metering => metering.AddMeter("RealtimeKit.*").AddInMemoryExporter(metrics))
            .WithTracing(tracing => tracing.AddSource("RealtimeKit.*").AddInMemoryExporter(spans));
        var app = builder.Build();
        app.MapWebSocket("/echo", async connection =>
        {
            await foreach (var message in connection.ReadAllAsync())
                await connection.SendAsync(message.Payload, message.Type);
        });
        app.MapServerSentEvents("/events", async (events, closed) => await events.WriteAsync("one", cancellationToken: closed));
        app.MapTopics("/live");
        await app.StartAsync(Cancelled);
        var address = app.Urls.Single();

        // A delivery is traced when the client may have it already. This listens behind the exporter: what it has heard is exported.
        var delivered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "RealtimeKit.Topics",
            ActivityStopped = activity => _ = activity.OperationName == "deliver" && delivered.TrySetResult(),
        };
        ActivitySource.AddActivityListener(listener);

        await using (var socket = await WebSocketClient.ConnectAsync(new Uri($"ws{address[4..]}/echo"), cancellationToken: Cancelled))
        {
            await socket.SendAsync("Hello", Cancelled);
            (await socket.ReceiveAsync(Cancelled)).GetText().Should().Be("Hello");
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, cancellationToken: Cancelled);
        }

        (await FirstAsync($"{address}/events", "message")).Should().Be("one");
        var refusal = () => WebSocketClient.ConnectAsync(new Uri($"ws{address[4..]}/nowhere"), cancellationToken: Cancelled);
        await refusal.Should().ThrowAsync<WebSocketConnectException>();

        var hub = app.Services.GetRequiredService<TopicHub>();
        var cursor = await hub.GetCursorAsync(["scores"], Cancelled);
        await hub.PublishAsync("scores", "1:0", cancellationToken: Cancelled);
        (await FirstAsync($"{address}/live?topic=scores&lastEventId={cursor}", "scores")).Should().Be("1:0");
        await app.StopAsync(Cancelled);

        string[] expected =
        [
            "realtimekit.websocket.active_connections", "realtimekit.websocket.connection.duration", "realtimekit.websocket.messages", "realtimekit.websocket.io",
            "realtimekit.sse.server.active_streams", "realtimekit.sse.server.stream.duration", "realtimekit.sse.server.events", "realtimekit.sse.server.io",
            "realtimekit.topics.published", "realtimekit.topics.delivered", "realtimekit.topics.lag", "realtimekit.topics.subscriptions",
        ];
        // A connection's end is told from the pool.
        while (expected.Except(metrics.Select(metric => metric.Name)).Any())
        {
            metrics.Clear();
            app.Services.GetRequiredService<MeterProvider>().ForceFlush();
            await Task.Delay(10, Cancelled);
        }

        await delivered.Task.WaitAsync(Cancelled);
        await app.DisposeAsync();
        spans.Should().Contain(span => span.OperationName == "websocket connect" && span.Kind == ActivityKind.Client && span.Status == ActivityStatusCode.Unset)
            .Which.GetTagItem("server.port").Should().Be(new Uri(address).Port);
        spans.Should().Contain(span => span.OperationName == "websocket connect" && span.Status == ActivityStatusCode.Error)
            .Which.GetTagItem("error.type").Should().Be("404");
        spans.Should().Contain(span => span.OperationName == "sse connect" && span.Kind == ActivityKind.Client);
        var publish = spans.Should().ContainSingle(span => span.OperationName == "publish" && span.Kind == ActivityKind.Producer).Subject;
        publish.GetTagItem("messaging.destination.name").Should().Be("scores");
        spans.Should().ContainSingle(span => span.OperationName == "deliver" && span.Kind == ActivityKind.Consumer)
            .Which.Links.Should().ContainSingle().Which.Context.SpanId.Should().Be(publish.SpanId);
    }

    [Fact(Timeout = 60_000)]
    public async Task RequestSpan_OfAWebSocket_LastsAsLongAsTheConnection()
    {
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Microsoft.AspNetCore",
            Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
        };
        ActivitySource.AddActivityListener(listener);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var app = builder.Build();
        var spans = new TaskCompletionSource<Activity?>();
        app.MapWebSocket("/", async connection =>
        {
            spans.SetResult(Activity.Current);
            await connection.ReceiveAsync(Cancelled);
        });
        await app.StartAsync(Cancelled);

        await using var socket = await WebSocketClient.ConnectAsync(new Uri($"ws{app.Urls.Single()[4..]}"), cancellationToken: Cancelled);
        var span = await spans.Task.WaitAsync(Cancelled);
        span!.Source.Name.Should().Be("Microsoft.AspNetCore");
        await socket.PingAsync(Cancelled);
        span.IsStopped.Should().BeFalse("the connection is open");
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, cancellationToken: Cancelled);
        while (!span.IsStopped)
            await Task.Delay(10, Cancelled);
    }

    private static async Task<string> FirstAsync(string address, string eventType)
    {
        await using var client = new ServerSentEventClient(new Uri(address));
        await foreach (var item in client.ReadAllAsync(Cancelled))
        {
            if (item.EventType == eventType)
                return item.Data;
        }

        throw new InvalidOperationException("The stream ended without the event.");
    }
}
