using System.Net.WebSockets;
using Microsoft.Extensions.Time.Testing;
using RealtimeKit.WebSockets.Tests.Connection.Kit;

namespace RealtimeKit.WebSockets.Tests.Connection.Limits;

public class FirstMessageTests
{
    private readonly FakeTimeProvider _clock = new();

    [Theory]
    [InlineData("")]
    [InlineData("ping")]
    [InlineData("half")]
    public async Task FirstMessageTimeout_NoWholeMessage_ClosesWith1008(string sent)
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe, Configure);
        var receive = harness.Connection.ReceiveAsync().AsTask();
        if (sent == "ping")
            await harness.Peer.SendAsync(Frames.PongFrame([1]));
        else if (sent == "half")
            await harness.Peer.SendAsync(Frames.TextFrame("half", fin: false));
        await _clock.Pass(TimeSpan.FromSeconds(9));
        receive.IsCompleted.Should().BeFalse();
        var wait = () => _clock.PassUntil(receive, TimeSpan.FromSeconds(3));
        (await wait.Should().ThrowAsync<WebSocketProtocolException>()).Which.Error.Should().Be(WebSocketProtocolError.FirstMessageTimeout);
        (await harness.Peer.ReadAsync(Frames.Close)).CloseCode.Should().Be(1008);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]   // the message waits for a handler that is busy
    public async Task FirstMessageTimeout_MessageCame_NeverFires(bool receiving)
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe, Configure);
        await harness.Peer.SendAsync(Frames.TextFrame("hello"));
        if (receiving)
            (await harness.Connection.ReceiveAsync().Within()).GetText().Should().Be("hello");
        await Task.Delay(5);
        for (var i = 0; i < 3; i++)
        {
            await _clock.Pass(TimeSpan.FromSeconds(10));
            await Task.Delay(1);
        }

        harness.Connection.State.Should().Be(WebSocketState.Open);
        if (!receiving)
            (await harness.Connection.ReceiveAsync().Within()).GetText().Should().Be("hello");
    }

    private void Configure(WebSocketConnectionOptions options)
    {
        options.TimeProvider = _clock;
        options.FirstMessageTimeout = TimeSpan.FromSeconds(10);
    }
}
