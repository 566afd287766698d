using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;
using RealtimeKit.WebSockets;

namespace RealtimeKit.AspNetCore.Tests.WebSockets;

public class EndingTests
{
    public static TheoryData<Wire> AllWires => Wires.All;

    public static TheoryData<Wire> Http1Wires => Wires.Http1;

    // The trap: a server that resets the connection destroys the close frame, and the echoes before it, on their way.
    [Theory(Timeout = Until.Bound), MemberData(nameof(Http1Wires))]
    public async Task Violation_AfterMessages_EchoesAndCloseFrameReachThePeer(Wire wire)
    {
        await using var server = await TestServerHost.StartAsync(wire, Handlers.EchoAsync);
        for (var i = 0; i < 100; i++)
        {
            await using var client = await server.ConnectRawAsync();
            await client.SendAsync(
                RawWebSocket.Text("one"),
                RawWebSocket.Frame(2, new byte[3000]),
                RawWebSocket.Frame(1, [0xF4, 0x90], isFinal: false),
                RawWebSocket.Text("never answered"),
                new byte[i * 100]);
            (await client.ReceiveAsync())!.Text.Should().Be("one");
            (await client.ReceiveAsync())!.Payload.Should().HaveCount(3000);
            (await client.ReceiveAsync())!.CloseStatus.Should().Be(WebSocketCloseStatus.InvalidPayloadData);

            // A peer that never answers the Close is the slow case; what it gets must be the same.
            if (i % 50 != 0)
                await client.SendAsync(RawWebSocket.Close(1007));
            (await client.ReceiveAsync()).Should().BeNull("the server closes TCP in order");
        }

        server.Logs.Ours.Should().NotContain(record => record.Level > LogLevel.Information);
        await Until.TrueAsync(() => server.Logs.Ours.Count(record => record.Event.Name == "ProtocolViolated") == 100);
    }

    [Theory(Timeout = Until.Bound)]
    [InlineData("reserved bit", 1002)]
    [InlineData("reserved opcode", 1002)]
    [InlineData("unmasked", 1002)]
    [InlineData("fragmented control", 1002)]
    [InlineData("lone continuation", 1002)]
    [InlineData("too big", 1009)]
    [InlineData("ping flood", 1008)]
    [InlineData("empty fragments", 1008)]
    [InlineData("bad close code", 1002)]
    public async Task Violation_OfEachKind_IsToldInACloseFrame(string kind, int status)
    {
        byte[][] frames = kind switch
        {
            "reserved bit" => [RawWebSocket.Frame(1, "x"u8, reserved: 4)],
            "reserved opcode" => [RawWebSocket.Frame(3, "x"u8)],
            "unmasked" => [RawWebSocket.Frame(1, "x"u8, isMasked: false)],
            "fragmented control" => [RawWebSocket.Frame(9, "x"u8, isFinal: false)],
            "lone continuation" => [RawWebSocket.Frame(0, "x"u8)],
            "too big" => [[0x82, 0xFF, 0, 0, 0, 0, 0x40, 0, 0, 0, 1, 2, 3, 4]],
            "ping flood" => [.. Enumerable.Repeat(RawWebSocket.Frame(9, []), 200)],
            "empty fragments" => [RawWebSocket.Frame(1, [], isFinal: false), .. Enumerable.Repeat(RawWebSocket.Frame(0, [], isFinal: false), 2000)],
            _ => [RawWebSocket.Close(1005)],
        };
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, Handlers.EchoAsync);
        await using var client = await server.ConnectRawAsync();
        await client.SendAsync(frames);
        var received = await client.ReceiveAllAsync();
        ((int?)received[^1].CloseStatus).Should().Be(status);
        server.Logs.Ours.Should().NotContain(record => record.Level > LogLevel.Information);
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(Http1Wires))]
    public async Task KeepAlive_PeerIsHalfOpen_IsGivenUp(Wire wire)
    {
        var result = new TaskCompletionSource<WebSocketCloseResult?>();
        await using var server = await TestServerHost.StartAsync(
            wire,
            async connection =>
            {
                await Handlers.EchoAsync(connection);
                result.SetResult(connection.CloseResult);
            },
            options =>
            {
                options.Connection.KeepAliveInterval = TimeSpan.FromMilliseconds(100);
                options.Connection.KeepAliveTimeout = TimeSpan.FromMilliseconds(100);
            });
        await using var client = await server.ConnectRawAsync();
        (await client.ReceiveAsync())!.Opcode.Should().Be(9);
        (await result.Task).Should().Be(new WebSocketCloseResult(null, null, WebSocketCloseInitiator.Network, false));
    }

    // An HTTP/2 stream's objects serve the next request: a connection that is kept must not reach into it.
    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Connection_UsedAfterItsRequest_TouchesNothing(Wire wire)
    {
        WebSocketConnection? kept = null;
        await using var server = await TestServerHost.StartAsync(wire, connection =>
        {
            var isFirst = Interlocked.CompareExchange(ref kept, connection, null) is null;
            return isFirst ? Task.CompletedTask : Handlers.EchoAsync(connection);
        });
        using var invoker = TestServerHost.NewInvoker();
        async Task<ClientWebSocket> ConnectAsync()
        {
            var client = new ClientWebSocket { Options = { HttpVersion = wire.IsHttp2() ? new(2, 0) : new(1, 1), HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact } };
            await client.ConnectAsync(server.Uri(), invoker, Until.Cancelled);
            return client;
        }

        using (var first = await ConnectAsync())
        {
            await first.ReceiveMessageAsync();
            await first.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, Until.Cancelled);
        }

        await Until.TrueAsync(() => server.Logs.Ours.Any(record => record.Event.Name == "Closed"));
        using var second = await ConnectAsync();
        var send = () => kept!.SendAsync("late").AsTask();
        await send.Should().ThrowAsync<WebSocketException>();
        (await kept!.ReceiveAsync()).Type.Should().Be(WebSocketMessageType.Close);
        kept.Abort();
        await kept.DisposeAsync();
        await second.SendTextAsync("fine");
        (await second.ReceiveTextAsync()).Should().Be("fine");
        await second.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Until.Cancelled);
    }
}
