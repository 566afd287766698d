using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace RealtimeKit.AspNetCore.Tests.WebSockets;

/// <summary>The meter <c>RealtimeKit.WebSockets</c> of a host.</summary>
public class MetricsTests
{
    [Theory(Timeout = Until.Bound), InlineData(true), InlineData(false)]
    public async Task Endpoint_HostHasAMeterFactory_MeasuresWithIt(bool isMapped)
    {
        var seen = new ConcurrentQueue<(string Name, double Value)>();
        using var listener = new MeterListener();
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, app =>
        {
            var factory = app.Services.GetRequiredService<IMeterFactory>();
            listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == "RealtimeKit.WebSockets" && instrument.Meter.Scope == factory)
                    listener.EnableMeasurementEvents(instrument);
            };
            listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => seen.Enqueue((instrument.Name, value)));
            listener.SetMeasurementEventCallback<double>((instrument, value, _, _) => seen.Enqueue((instrument.Name, value)));
            listener.Start();
            if (isMapped)
                app.MapWebSocket("/ws", Handlers.EchoAsync);
            else
                app.Map("/ws", async context =>
                {
                    await using var connection = await context.AcceptWebSocketAsync();
                    await Handlers.EchoAsync(connection!);
                });
        });
        using var client = await server.ConnectAsync();
        await client.SendTextAsync("hello");
        (await client.ReceiveTextAsync()).Should().Be("hello");
        await client.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Until.Cancelled);
        await Until.TrueAsync(() => Values("connection.duration").Length == 1 && Values("active_connections").Length == 2 && Values("messages").Length == 2);
        Values("active_connections").Should().Equal(1, -1);
        Values("messages").Should().Equal(1, 1);

        double[] Values(string name) => [.. seen.Where(item => item.Name == $"realtimekit.websocket.{name}").Select(item => item.Value)];
    }
}
