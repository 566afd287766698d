using System.Net.Sockets;
using System.Net.WebSockets;
using Microsoft.Extensions.Time.Testing;
using RealtimeKit.WebSockets.Tests.Connection.Kit;

namespace RealtimeKit.WebSockets.Tests.Connection;

// Disposing: in order where the connection is open, once, and without giving memory away that is still read.
public class DisposeTests
{
    public static TheoryData<Wire> Wires => Harness.Wires;

    public static TheoryData<Wire> MainWires => Harness.MainWires;

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task DisposeAsync_Open_ClosesWith1000(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire);
        var dispose = harness.Connection.DisposeAsync().AsTask();
        (await harness.Peer.ReadAsync(Frames.Close)).CloseCode.Should().Be(1000);
        await harness.Peer.SendAsync(Frames.CloseFrame(1000));
        await dispose.Within();
        (await harness.Peer.TryReadAsync()).Should().BeNull();
    }

    [Theory]
    [MemberData(nameof(MainWires))]
    public async Task DisposeAsync_Concurrently_IsOneDisposal(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire);
        var receive = harness.Connection.ReceiveAsync().AsTask();
        var senders = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            try
            {
                while (true)
                {
                    await harness.Connection.SendAsync("x");
                    await Task.Yield();
                }
            }
            catch (WebSocketException)
            {
            }
        })).ToArray();
        var peer = Task.Run(async () =>
        {
            while ((await harness.Peer.ReadAsync()).Opcode != Frames.Close)
            {
            }

            await harness.Peer.SendAsync(Frames.CloseFrame(1000));
        });
        await Task.Delay(5);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () => await harness.Connection.DisposeAsync()))).Within();
        await peer.Within();
        await Task.WhenAll(senders).Within();
        (await receive.Within()).Type.Should().Be(WebSocketMessageType.Close);
        (await harness.Peer.TryReadAsync()).Should().BeNull("nothing follows the Close frame");
    }

    // The other end of the pipe no longer reads, but it does not end its own writing either.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task DisposeAsync_OutputBrokenAndAReceivePending_TheReceiveEnds(bool leaveOpen)
    {
        var (own, peer) = Pipes.CreatePair();
        var connection = WebSocketConnection.Create(own, new WebSocketConnectionOptions { LeaveOpen = leaveOpen });
        var receive = connection.ReceiveAsync().AsTask();
        await peer.Input.CompleteAsync();
        var send = async () =>
        {
            while (true)
                await connection.SendAsync("x");
        };
        await send.Should().ThrowAsync<WebSocketException>();
        connection.CloseResult.Should().Be(CloseTests.Lost);
        await connection.DisposeAsync().Within();
        (await receive.Within()).Type.Should().Be(WebSocketMessageType.Close);
        (await connection.ReceiveAsync().Within()).Type.Should().Be(WebSocketMessageType.Close);
    }

    // A receiver on another thread may be reading the payload while the host disposes the connection.
    [Theory]
    [InlineData(Wire.Pipe)]
    [InlineData(Wire.Stream)]
    public async Task DisposeAsync_WhileAPayloadIsLent_ItsMemoryIsNotReused(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire);
        await harness.Peer.SendAsync(Frames.BinaryFrame(Frames.Pattern(100)));
        var message = await harness.Connection.ReceiveAsync().Within();
        var payload = message.Payload;
        harness.Connection.Abort();
        await harness.Connection.DisposeAsync().Within();
        for (var length = 16; length <= 4096; length *= 2)
        {
            var taken = Enumerable.Range(0, 40).Select(_ => System.Buffers.ArrayPool<byte>.Shared.Rent(length)).ToList();
            taken.ForEach(array => array.AsSpan().Fill(0xEE));
            taken.ForEach(array => System.Buffers.ArrayPool<byte>.Shared.Return(array));
        }

        System.Buffers.BuffersExtensions.ToArray(payload).Should().Equal(Frames.Pattern(100));
        var late = () => message.Payload;
        late.Should().Throw<InvalidOperationException>();
    }
}
