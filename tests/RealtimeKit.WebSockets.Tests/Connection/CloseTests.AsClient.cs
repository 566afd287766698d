using System.Buffers;
using System.Net.Sockets;
using System.Net.WebSockets;
using Microsoft.Extensions.Time.Testing;
using RealtimeKit.WebSockets.Tests.Connection.Kit;

namespace RealtimeKit.WebSockets.Tests.Connection;

public partial class CloseTests
{
    // As a client, a reset after a finished close handshake is no error.
    [Fact]
    public async Task AsClient_ResetAfterTheHandshake_StaysClean()
    {
        var (server, client, _, _) = await Harness.ConnectAsync(tls: false);
        await using var connection = WebSocketConnection.Create(client, new WebSocketConnectionOptions { Role = WebSocketRole.Client });
        var peer = (NetworkStream)server;
        await peer.WriteAsync(Frames.CloseFrame(1000, masked: false));
        (await connection.ReceiveAsync().Within()).Type.Should().Be(WebSocketMessageType.Close);
        peer.Socket.LingerState = new LingerOption(enable: true, seconds: 0);
        peer.Socket.Close();
        await connection.DisposeAsync().Within();
        connection.CloseResult.Should().Be(new WebSocketCloseResult(WebSocketCloseStatus.NormalClosure, null, WebSocketCloseInitiator.Remote, true));
    }

    [Theory]
    [MemberData(nameof(MainWires))]
    public async Task AsClient_WaitsForTheServerToCloseTheTransport(Wire wire)
    {
        var clock = new FakeTimeProvider();
        await using var harness = await Harness.CreateAsync(wire, options =>
        {
            options.Role = WebSocketRole.Client;
            options.TimeProvider = clock;
        });
        var dispose = harness.Connection.DisposeAsync().AsTask();
        (await harness.Peer.ReadAsync(Frames.Close)).Masked.Should().BeTrue();
        await harness.Peer.SendAsync(Frames.CloseFrame(1000, masked: false));
        await Bounds.Until(() => harness.Connection.CloseResult is not null);
        await Task.Delay(20);
        dispose.IsCompleted.Should().BeFalse("the server closes first");
        harness.Peer.Finish();
        await dispose.Within();
        harness.Connection.CloseResult!.Value.IsClean.Should().BeTrue();
    }

    [Fact]
    public async Task AsClient_ServerNeverClosesTheTransport_EndsWithinASecond()
    {
        var clock = new FakeTimeProvider();
        await using var harness = await Harness.CreateAsync(Wire.Pipe, options =>
        {
            options.Role = WebSocketRole.Client;
            options.TimeProvider = clock;
        });
        await harness.Peer.SendAsync(Frames.CloseFrame(1000, masked: false));
        await harness.Connection.ReceiveAsync().Within();
        var dispose = harness.Connection.DisposeAsync().AsTask();
        await Task.Delay(20);
        dispose.IsCompleted.Should().BeFalse();
        clock.Advance(TimeSpan.FromSeconds(1));
        await dispose.Within();
    }

    // After both Close frames the transport is its owner's, and nothing is begun on it that only an abort would end.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AsClient_TransportIsToStayOpen_IsLeftAfterTheHandshake(bool peerCloses)
    {
        var (own, other) = Pipes.CreatePair();
        var stream = own.AsStream();
        var connection = WebSocketConnection.Create(stream, new WebSocketConnectionOptions { Role = WebSocketRole.Client, LeaveOpen = true });
        await using var peer = new Peer(other.AsStream(), () => { }, () => { });
        var close = peerCloses ? null : connection.CloseAsync(WebSocketCloseStatus.NormalClosure).AsTask();
        if (peerCloses)
        {
            await peer.SendAsync(Frames.CloseFrame(1000, masked: false));
            (await connection.ReceiveAsync().Within()).Type.Should().Be(WebSocketMessageType.Close);
        }

        await peer.ReadAsync(Frames.Close);
        if (!peerCloses)
            await peer.SendAsync(Frames.CloseFrame(1000, masked: false));
        if (close is not null)
            (await close.Within()).IsClean.Should().BeTrue();
        await connection.DisposeAsync().Within();

        await peer.SendBytesAsync("after"u8.ToArray());
        var rest = new byte[5];
        await stream.ReadExactlyAsync(rest).AsTask().Within();
        rest.Should().Equal("after"u8.ToArray());
        await stream.WriteAsync(Frames.TextFrame("mine", masked: false)).AsTask().Within();
        (await peer.ReadAsync(Frames.Text)).Text.Should().Be("mine");
        await stream.DisposeAsync();
    }
}
