using System.Net.WebSockets;
using Microsoft.Extensions.Time.Testing;
using RealtimeKit.WebSockets.Tests.Connection.Kit;

namespace RealtimeKit.WebSockets.Tests.Connection;

public class ClockTests
{
    // A live peer must not be taken for dead because the clock stepped back between the ping and its answer.
    [Fact]
    public async Task KeepAlive_ClockStepsBackBeforeThePong_PeerIsAlive()
    {
        var clock = new SteppingClock();
        await using var harness = await Harness.CreateAsync(Wire.Pipe, options =>
        {
            options.TimeProvider = clock;
            options.KeepAliveInterval = TimeSpan.FromSeconds(4);
            options.KeepAliveTimeout = TimeSpan.FromSeconds(3);
        });
        var receive = harness.Connection.ReceiveAsync().AsTask();
        await clock.Pass(TimeSpan.FromSeconds(5));
        var ping = await harness.Peer.ReadAsync(Frames.Ping);

        clock.Step = TimeSpan.FromSeconds(-2);
        await harness.Peer.SendAsync(Frames.Frame(Frames.Pong, ping.Payload), Frames.TextFrame("seen"));
        await receive.Within();
        receive = harness.Connection.ReceiveAsync().AsTask();
        await clock.Pass(TimeSpan.FromSeconds(5.75));   // past the deadline by the stepped clock, before that of the next ping
        harness.Connection.State.Should().Be(WebSocketState.Open);
    }

    private sealed class SteppingClock : FakeTimeProvider
    {
        public TimeSpan Step { get; set; }

        public override long GetTimestamp() => base.GetTimestamp() + (long)(Step.TotalSeconds * TimestampFrequency);
    }
}
