using System.Net.WebSockets;
using Microsoft.Extensions.Time.Testing;
using RealtimeKit.WebSockets.Tests.Connection.Kit;

namespace RealtimeKit.WebSockets.Tests.Connection.Limits;

// A process that stood still: every thread blocked, suspended, or its clock jumped. What its peers did meanwhile it does not know.
public class StallTests
{
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public async Task KeepAlive_ProcessStoodStill_ThePeerIsGivenItsTimeAgain()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe, options =>
        {
            options.TimeProvider = _clock;
            options.KeepAliveInterval = TimeSpan.FromSeconds(25);
        });
        var receive = harness.Connection.ReceiveAsync().AsTask();
        await Task.Delay(5);
        await _clock.PassUntil(harness.Peer.ReadAsync(Frames.Ping), TimeSpan.FromSeconds(27));
        _clock.Advance(TimeSpan.FromMinutes(10));
        await _clock.Pass(TimeSpan.FromSeconds(9));
        harness.Connection.State.Should().Be(WebSocketState.Open);

        // A peer that really is dead is given up as ever.
        (await _clock.PassUntil(receive, TimeSpan.FromSeconds(40))).Type.Should().Be(WebSocketMessageType.Close);
        harness.Connection.State.Should().Be(WebSocketState.Aborted);
    }

    [Fact]
    public async Task MessageTimeout_ProcessStoodStill_BeginsAnew()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe, options => options.TimeProvider = _clock);
        var receive = harness.Connection.ReceiveAsync().AsTask();
        await harness.Peer.SendAsync(Frames.TextFrame("a", fin: false));
        await _clock.Pass(TimeSpan.FromSeconds(5));
        _clock.Advance(TimeSpan.FromMinutes(10));
        await _clock.Pass(TimeSpan.FromSeconds(5));
        await harness.Peer.SendAsync(Frames.ContinuationFrame("b"u8, fin: true));
        (await receive.Within()).GetText().Should().Be("ab");
    }
}
