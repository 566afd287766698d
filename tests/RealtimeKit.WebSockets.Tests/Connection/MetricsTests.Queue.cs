using System.Diagnostics.Metrics;
using System.Net.WebSockets;
using Microsoft.Extensions.Time.Testing;
using RealtimeKit.WebSockets.Tests.Connection.Kit;

namespace RealtimeKit.WebSockets.Tests.Connection;

public partial class MetricsTests
{
    [Fact]
    public async Task SendAsync_PeerDoesNotRead_QueueShowsWhatWaits()
    {
        using var meters = new Meters();
        StallingStream stall = null!;
        var clock = new FakeTimeProvider();
        await using var harness = Harness.Over(
            stream => stall = new StallingStream(stream),
            options =>
            {
                options.MeterFactory = meters;
                options.TimeProvider = clock;
            });
        await harness.Connection.SendAsync(Frames.Pattern(1000), WebSocketMessageType.Binary);
        meters.Values("send_queue").Should().BeEmpty("what is taken at once has not waited");
        stall.Stall();
        await harness.Connection.SendAsync(Frames.Pattern(1000), WebSocketMessageType.Binary);
        await stall.Stalled.Within();
        await Bounds.Until(() => meters.Sum("send_queue") == 1004);
        await harness.Connection.SendAsync(Frames.Pattern(2000), WebSocketMessageType.Binary);
        for (var i = 0; i < 20 && meters.Sum("send_queue") != 3008; i++)
            await clock.Pass(TimeSpan.FromSeconds(1));
        meters.Sum("send_queue").Should().Be(3008, "the wheel looks again");
        stall.Release();
        await Bounds.Until(() => meters.Sum("send_queue") == 0);
    }

    [Fact]
    public async Task Abort_BytesWait_TheyAreTakenOffTheQueue()
    {
        using var meters = new Meters();
        StallingStream stall = null!;
        await using var harness = Harness.Over(stream => stall = new StallingStream(stream), options => options.MeterFactory = meters);
        stall.Stall();
        await harness.Connection.SendAsync(Frames.Pattern(1000), WebSocketMessageType.Binary);
        await Bounds.Until(() => meters.Sum("send_queue") == 1004);
        harness.Connection.Abort();
        await Bounds.Until(() => meters.Sum("send_queue") == 0);
    }

    // A listener is foreign code: what it throws must not cost a connection the memory that its transport still writes from.
    [Fact]
    public async Task SendAsync_ListenerOfTheQueueThrows_TheConnectionLives()
    {
        using var meters = new Meters(listens: false);
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Scope == meters && instrument.Name == "realtimekit.websocket.send_queue")
                self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((_, _, _, _) => throw new InvalidOperationException("Thrown by the test's listener."));
        listener.Start();
        StallingStream stall = null!;
        await using var harness = Harness.Over(stream => stall = new StallingStream(stream), options => options.MeterFactory = meters);
        stall.Stall();
        await harness.Connection.SendAsync(Frames.Pattern(1000), WebSocketMessageType.Binary);
        await stall.Stalled.Within();
        harness.Connection.State.Should().Be(WebSocketState.Open);
        stall.Release();
        (await harness.Peer.ReadAsync(Frames.Binary)).Payload.Should().Equal(Frames.Pattern(1000));
        await harness.Connection.SendAsync("next");
        (await harness.Peer.ReadAsync(Frames.Text)).Text.Should().Be("next");
    }
}
