using System.Net.WebSockets;
using Microsoft.Extensions.Time.Testing;
using RealtimeKit.WebSockets.Tests.Connection.Kit;

namespace RealtimeKit.WebSockets.Tests.Connection;

public partial class ReadAheadTests
{
    [Theory]
    [MemberData(nameof(MainWires))]
    public async Task NobodyReceives_Close_IsAnsweredAndShown(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire);
        var closed = new TaskCompletionSource();
        harness.Connection.Closed.Register(closed.SetResult);
        await harness.Peer.SendAsync(Frames.CloseFrame(4000, "done"));

        (await harness.Peer.ReadAsync(Frames.Close)).CloseCode.Should().Be(4000);
        await closed.Task.Within();
        harness.Connection.State.Should().Be(WebSocketState.Closed);
        harness.Connection.CloseResult.Should().Be(new WebSocketCloseResult((WebSocketCloseStatus)4000, "done", WebSocketCloseInitiator.Remote, true));
    }

    [Theory]
    [MemberData(nameof(MemoryWires))]
    public async Task UnreadMessages_CloseBehindThem_StaysUnansweredUntilTheyAreReceived(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire);
        await harness.Peer.SendAsync(Frames.TextFrame("1"), Frames.TextFrame("2"), Frames.PingFrame(), Frames.CloseFrame(1000));
        await harness.Peer.ReadAsync(Frames.Pong);
        await Bounds.Until(() => harness.Connection.State == WebSocketState.CloseReceived);

        (await harness.Connection.ReceiveAsync().Within()).GetText().Should().Be("1");
        await harness.Connection.SendAsync("answer 1");
        (await harness.Connection.ReceiveAsync().Within()).GetText().Should().Be("2");
        await harness.Connection.SendAsync("answer 2");
        (await harness.Connection.ReceiveAsync().Within()).Type.Should().Be(WebSocketMessageType.Close);

        (await harness.Peer.ReadAsync(Frames.Text)).Text.Should().Be("answer 1");
        (await harness.Peer.ReadAsync(Frames.Text)).Text.Should().Be("answer 2");
        (await harness.Peer.ReadAsync(Frames.Close)).CloseCode.Should().Be(1000);
    }

    // A client that sends its last request together with its Close still gets the answer, even from a handler that awaits first.
    [Theory]
    [InlineData(Wire.Pipe, false)]
    [InlineData(Wire.Stream, false)]
    [InlineData(Wire.Pipe, true)]
    [InlineData(Wire.Stream, true)]
    public async Task HandlerHoldsAMessage_CloseOrViolationBehindIt_WaitsForTheAnswer(Wire wire, bool violation)
    {
        await using var harness = await Harness.CreateAsync(wire, options => options.TimeProvider = new FakeTimeProvider());   // an answer is waited for a second
        var pending = harness.Connection.ReceiveAsync();
        await harness.Peer.SendAsync(Frames.TextFrame("request"), violation ? Frames.Frame(0x3, []) : Frames.CloseFrame(1000));
        (await pending.Within()).GetText().Should().Be("request");
        await Task.Delay(20);   // what the handler awaits; the Close is looked at meanwhile

        await harness.Connection.SendAsync("answer");
        var next = () => harness.Connection.ReceiveAsync().Within();
        if (violation)
            await next.Should().ThrowAsync<WebSocketProtocolException>();
        else
            (await next()).Type.Should().Be(WebSocketMessageType.Close);
        (await harness.Peer.ReadAsync(Frames.Text)).Text.Should().Be("answer");
        (await harness.Peer.ReadAsync(Frames.Close)).CloseCode.Should().Be(violation ? 1002 : 1000);
    }

    // The handler runs on the callback that brought the bytes, and its answers may be collected there: none is lost when it disposes.
    [Theory]
    [CombinatorialWires(1, 2, 3, 10)]
    public async Task HandlerOnTheCallback_MessagesWithTheCloseBehindThem_AllAnswered(Wire wire, int count)
    {
        await using var harness = await Harness.CreateAsync(wire);
        var handler = HandleAsync(harness.Connection);
        await harness.Peer.SendAsync([.. Enumerable.Range(0, count).Select(i => Frames.TextFrame("m" + i)), Frames.CloseFrame(1000)]);
        await handler.Within();
        var frames = await harness.Peer.ReadToEndAsync();
        frames.ConvertAll(frame => frame.Opcode == Frames.Close ? "close" : frame.Text).Should().Equal([.. Enumerable.Range(0, count).Select(i => "m" + i), "close"]);

        static async Task HandleAsync(WebSocketConnection connection)
        {
            await foreach (var message in connection.ReadAllAsync().ConfigureAwait(false))
                await connection.SendAsync(message.Payload, message.Type).ConfigureAwait(false);
            await connection.DisposeAsync().ConfigureAwait(false);
        }
    }

    // The deadline is for a receiver that does not come, not for one that is slow.
    [Theory]
    [MemberData(nameof(MemoryWires))]
    public async Task UnreadMessages_SlowReceiver_GetsThemAllBeforeTheClose(Wire wire)
    {
        var clock = new FakeTimeProvider();
        await using var harness = await Harness.CreateAsync(wire, options => options.TimeProvider = clock);
        await harness.Peer.SendAsync([.. Enumerable.Range(0, 5).Select(i => Frames.TextFrame("m" + i)), Frames.CloseFrame(1000)]);
        for (var i = 0; i < 5; i++)
        {
            (await harness.Connection.ReceiveAsync().Within()).GetText().Should().Be("m" + i);
            await clock.Pass(TimeSpan.FromSeconds(i < 4 ? 4 : 0.5));
        }

        await harness.Connection.SendAsync("the last answer");
        (await harness.Connection.ReceiveAsync().Within()).Type.Should().Be(WebSocketMessageType.Close);
        (await harness.Peer.ReadAsync(Frames.Text)).Text.Should().Be("the last answer");
        (await harness.Peer.ReadAsync(Frames.Close)).CloseCode.Should().Be(1000);
    }

    [Theory]
    [MemberData(nameof(MemoryWires))]
    public async Task UnreadMessages_CloseTimeoutIsInfinite_StayForTheReceiver(Wire wire)
    {
        var clock = new FakeTimeProvider();
        await using var harness = await Harness.CreateAsync(wire, options =>
        {
            options.TimeProvider = clock;
            options.CloseTimeout = Timeout.InfiniteTimeSpan;
        });
        await harness.Peer.SendAsync([.. Enumerable.Range(0, 3).Select(i => Frames.TextFrame("m" + i)), Frames.CloseFrame(1000)]);
        for (var i = 0; i < 3; i++)
        {
            (await harness.Connection.ReceiveAsync().Within()).GetText().Should().Be("m" + i);
            if (i < 2)
                await clock.Pass(TimeSpan.FromSeconds(20));
        }

        (await harness.Connection.ReceiveAsync().Within()).Type.Should().Be(WebSocketMessageType.Close);
    }

    [Fact]
    public async Task UnreadMessages_NobodyEverReceives_CloseIsAnsweredAtTheDeadline()
    {
        var clock = new FakeTimeProvider();
        await using var harness = await Harness.CreateAsync(Wire.Pipe, options => options.TimeProvider = clock);
        await harness.Peer.SendAsync(Frames.TextFrame("unread"), Frames.CloseFrame(1000));
        (await clock.PassUntil(harness.Peer.ReadAsync(Frames.Close), TimeSpan.FromSeconds(10))).CloseCode.Should().Be(1000);
    }
}
