using System.Net.WebSockets;
using System.Runtime.CompilerServices;
using RealtimeKit.WebSockets.Tests.Connection.Kit;

namespace RealtimeKit.WebSockets.Tests.Connection;

// A token of the application's whole life, as services pass it to every call: it must not collect what has ended.
public class LongLivedTokenTests
{
    private const int Connections = 20;

    [Theory]
    [InlineData(Wire.Pipe, false)]
    [InlineData(Wire.Stream, false)]
    [InlineData(Wire.Pipe, true)]
    [InlineData(Wire.Stream, true)]
    public async Task ManyConnections_EachUsesItForEverything_NothingOfThemStays(Wire wire, bool endsAbruptly)
    {
        using var life = new CancellationTokenSource();
        var connections = new List<WeakReference>();
        for (var i = 0; i < Connections; i++)
            connections.Add(await UseAsync(wire, endsAbruptly, life.Token));

        await Bounds.Until(
            () =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return !connections.Exists(connection => connection.IsAlive);
            },
            "only the token lives on");
        life.IsCancellationRequested.Should().BeFalse();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task<WeakReference> UseAsync(Wire wire, bool endsAbruptly, CancellationToken life)
    {
        await using var harness = await Harness.CreateAsync(wire, options => options.SendBufferSize = 256);
        var connection = harness.Connection;

        // Each of them waits, so that each has registered.
        var receive = connection.ReceiveAsync(life).AsTask();
        var ping = connection.PingAsync(life).AsTask();
        var pinged = await harness.Peer.ReadAsync(Frames.Ping);
        var first = connection.SendAsync(new byte[200_000], WebSocketMessageType.Binary, life).AsTask();
        var second = connection.SendAsync(new byte[1000], WebSocketMessageType.Binary, life).AsTask();
        receive.IsCompleted.Should().BeFalse();
        second.IsCompleted.Should().BeFalse("the peer does not read");
        if (endsAbruptly)
        {
            connection.Abort();
            await Settle(receive, ping, first, second);
            return new WeakReference(connection);
        }

        await harness.Peer.SendAsync(Frames.PongFrame(pinged.Payload), Frames.TextFrame("x"));
        await ping.Within();
        (await receive.Within()).GetText().Should().Be("x");
        (await harness.Peer.ReadAsync(Frames.Binary)).Payload.Should().HaveCount(200_000);
        (await harness.Peer.ReadAsync(Frames.Binary)).Payload.Should().HaveCount(1000);
        await Task.WhenAll(first, second).Within();
        var next = connection.MoveNextAsync(life).AsTask();
        var close = connection.CloseAsync(WebSocketCloseStatus.NormalClosure, null, life).AsTask();
        await harness.Peer.ReadAsync(Frames.Close);
        await harness.Peer.SendAsync(Frames.CloseFrame(1000));
        (await close.Within()).IsClean.Should().BeTrue();
        (await next.Within()).Should().BeFalse();
        return new WeakReference(connection);
    }

    private static async Task Settle(params Task[] tasks)
    {
        foreach (var task in tasks)
        {
            try
            {
                await task.Within();
            }
            catch (WebSocketException)
            {
            }
        }
    }
}
