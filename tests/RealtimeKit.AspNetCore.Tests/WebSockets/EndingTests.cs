using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;
using RealtimeKit.WebSockets;

namespace RealtimeKit.AspNetCore.Tests.WebSockets;

public class EndingTests
{
    public static TheoryData<Wire> AllWires => Wires.All;

    public static TheoryData<Wire> Http1Wires => Wires.Http1;

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Handler_Throws_ClosesWith1011AndLogsAnError(Wire wire)
    {
        await using var server = await TestServerHost.StartAsync(wire, async connection =>
        {
            await connection.ReceiveAsync();
            throw new FormatException("broken");
        });
        using var client = await server.ConnectAsync();
        await client.SendTextAsync("go");
        (await client.ReceiveMessageAsync()).Type.Should().Be(WebSocketMessageType.Close);
        client.CloseStatus.Should().Be(WebSocketCloseStatus.InternalServerError);
        client.CloseStatusDescription.Should().BeNullOrEmpty("an exception's text is nothing for a peer");
        await client.CloseOutputAsync(WebSocketCloseStatus.InternalServerError, null, Until.Cancelled);
        await Until.TrueAsync(() => server.Logs.Ours.Any(record => record.Event.Name == "Closed"));
        server.Logs.Ours.Should().ContainSingle(record => record.Level >= LogLevel.Warning)
            .Which.Exception.Should().BeOfType<FormatException>();
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Handler_ThrowsSynchronously_ClosesWith1011()
    {
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, _ => throw new FormatException("broken"));
        using var client = await server.ConnectAsync();
        await client.ReceiveMessageAsync();
        client.CloseStatus.Should().Be(WebSocketCloseStatus.InternalServerError);
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Handler_InterruptedByItsConnectionsEnd_IsNoError(Wire wire)
    {
        await using var server = await TestServerHost.StartAsync(wire, async connection =>
        {
            while (true)
            {
                await connection.SendAsync("tick");
                await Task.Delay(10, connection.Closed);
            }
        });
        using var client = await server.ConnectAsync();
        (await client.ReceiveTextAsync()).Should().Be("tick");
        await client.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Until.Cancelled);
        await Until.TrueAsync(() => server.Logs.Ours.Any(record => record.Event.Name == "Closed"));
        server.Logs.Ours.Should().OnlyContain(record => record.Level == LogLevel.Debug);
    }

    // RFC 6455 §5.5.2, §5.5.3 and §5.5.1 hold whatever the application does.
    [Theory(Timeout = Until.Bound), MemberData(nameof(Http1Wires))]
    public async Task Handler_Asleep_PeerIsStillAnswered(Wire wire)
    {
        await using var server = await TestServerHost.StartAsync(wire, async connection =>
        {
            var ended = new TaskCompletionSource();
            await using var registration = connection.Closed.Register(ended.SetResult);
            await ended.Task;
        });
        await using var client = await server.ConnectRawAsync();
        for (var i = 0; i < 3; i++)
        {
            await client.SendAsync(RawWebSocket.Frame(9, [(byte)i]), RawWebSocket.Frame(10, [42]));
            var pong = await client.ReceiveAsync();
            pong!.Opcode.Should().Be(10);
            pong.Payload.Should().Equal((byte)i);
        }

        await client.SendAsync(RawWebSocket.Close(1001));
        (await client.ReceiveAsync())!.CloseStatus.Should().Be(WebSocketCloseStatus.EndpointUnavailable);
        (await client.ReceiveAsync()).Should().BeNull("the server closes TCP first (RFC 6455 §7.1.1)");
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(Http1Wires))]
    public async Task Handler_OnlySends_PeerIsStillAnswered(Wire wire)
    {
        await using var server = await TestServerHost.StartAsync(wire, async connection =>
        {
            while (!connection.Closed.IsCancellationRequested)
            {
                await connection.SendAsync("tick");
                await Task.Delay(1);
            }
        });
        await using var client = await server.ConnectRawAsync();
        await client.SendAsync(RawWebSocket.Frame(9, "a"u8), RawWebSocket.Frame(9, "b"u8), RawWebSocket.Close(1000));
        var frames = await client.ReceiveAllAsync();
        frames.Where(frame => frame.Opcode == 10).Select(frame => frame.Text).Should().Equal("a", "b");
        frames[^1].CloseStatus.Should().Be(WebSocketCloseStatus.NormalClosure);
        frames.Should().Contain(frame => frame.Opcode == 1);
    }

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

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Close_PeerNeverAnswers_EndsAtTheDeadline(Wire wire)
    {
        var result = new TaskCompletionSource<WebSocketCloseResult>();
        await using var server = await TestServerHost.StartAsync(
            wire,
            async connection => result.SetResult(await connection.CloseAsync(WebSocketCloseStatus.PolicyViolation, "go away")),
            options => options.Connection.CloseTimeout = TimeSpan.FromMilliseconds(200));
        using var client = await server.ConnectAsync();
        (await result.Task).Should().Be(new WebSocketCloseResult(WebSocketCloseStatus.PolicyViolation, "go away", WebSocketCloseInitiator.Local, false));
        await Until.TrueAsync(() => server.Logs.Ours.Any(record => record.Event.Name == "Closed"));
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(Http1Wires))]
    public async Task Reset_InTheMiddleOfAMessage_EndsTheHandler(Wire wire)
    {
        var result = new TaskCompletionSource<WebSocketCloseResult?>();
        await using var server = await TestServerHost.StartAsync(wire, async connection =>
        {
            await Handlers.EchoAsync(connection);
            result.SetResult(connection.CloseResult);
        });
        await using var client = await server.ConnectRawAsync();
        await client.SendAsync(RawWebSocket.Text("one"), RawWebSocket.Frame(1, "tw"u8, isFinal: false), [0x80]);
        (await client.ReceiveAsync())!.Text.Should().Be("one");
        client.Reset();
        (await result.Task).Should().Be(new WebSocketCloseResult(null, null, WebSocketCloseInitiator.Network, false));
        server.Logs.Ours.Should().NotContain(record => record.Level > LogLevel.Debug);
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

    // Past Kestrel's stream its own minimum rate does not apply: ours does.
    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Send_PeerReadsNothing_IsGivenUpAtTheWriteDeadline(Wire wire)
    {
        var failure = new TaskCompletionSource<Exception>();
        await using var server = await TestServerHost.StartAsync(
            wire,
            async connection =>
            {
                try
                {
                    while (true)
                        await connection.SendAsync(new byte[100_000], WebSocketMessageType.Binary);
                }
                catch (WebSocketException error)
                {
                    failure.SetResult(error);
                    throw;
                }
            },
            options => options.Connection.WriteTimeout = TimeSpan.FromMilliseconds(200));
        using var client = await server.ConnectAsync();
        await failure.Task;
        await Until.TrueAsync(() => server.Logs.Ours.Any(record => record.Event.Name == "Closed"));
        server.Logs.Ours.Should().NotContain(record => record.Level > LogLevel.Debug);
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Abort_ByTheHandler_CutsTheConnectionOff(Wire wire)
    {
        await using var server = await TestServerHost.StartAsync(wire, async connection =>
        {
            await connection.ReceiveAsync();
            connection.Abort();
        });
        using var client = await server.ConnectAsync();
        await client.SendTextAsync("go");
        var receive = () => client.ReceiveMessageAsync();
        await receive.Should().ThrowAsync<WebSocketException>();
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

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Close_ByThePeer_EndsTcpAtOnce(Wire wire)
    {
        await using var server = await TestServerHost.StartAsync(wire, Handlers.EchoAsync);
        for (var i = 0; i < 20; i++)
        {
            using var client = await server.ConnectAsync();
            await client.SendTextAsync("x");
            await client.ReceiveMessageAsync();
            await client.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Until.Cancelled);   // waits up to a second for the server's end of TCP
            client.State.Should().Be(WebSocketState.Closed);
        }

        await Until.TrueAsync(() => server.Logs.Ours.Count(record => record.Event.Name == "Closed") == 20);
        server.Logs.Ours.Where(record => record.Event.Name == "Closed").Should().OnlyContain(record => record.Message.Contains("clean: True"));
    }
}
