using System.Net.WebSockets;
using Microsoft.Extensions.Logging;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Tests;

public class WebSocketEndingCases
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
        (await client.ReceiveAsync())!.Text.Should().Be("tick");   // or else the Close may be read before the handler begins
        await client.SendAsync(RawWebSocket.Frame(9, "a"u8), RawWebSocket.Frame(9, "b"u8), RawWebSocket.Close(1000));
        var frames = await client.ReceiveAllAsync();
        frames.Where(frame => frame.Opcode == 10).Select(frame => frame.Text).Should().Equal("a", "b");
        frames[^1].CloseStatus.Should().Be(WebSocketCloseStatus.NormalClosure);
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Close_PeerNeverAnswers_EndsAtTheDeadline(Wire wire)
    {
        var result = new TaskCompletionSource<WebSocketCloseResult>();
        await using var server = await TestServerHost.StartAsync(
            wire,
            async connection =>
            {
                await connection.ReceiveAsync();   // over HTTP/2 an abort may overtake the handshake's answer
                result.SetResult(await connection.CloseAsync(WebSocketCloseStatus.PolicyViolation, "go away"));
            },
            options => options.Connection.CloseTimeout = TimeSpan.FromMilliseconds(200));
        using var client = await server.ConnectAsync();
        await client.SendTextAsync("go");
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

    // A server's stream may take what is written to a peer that is gone, and drop it: the handler would send for ever.
    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Send_PeerIsGone_FailsSoon(Wire wire)
    {
        const int Peers = 10;
        var ended = 0;
        await using var server = await TestServerHost.StartAsync(
            wire,
            async connection =>
            {
                try
                {
                    while (true)
                        await connection.SendAsync(new byte[100_000], WebSocketMessageType.Binary);
                }
                catch (WebSocketException)
                {
                    Interlocked.Increment(ref ended);
                    throw;
                }
            },
            options =>
            {
                options.Connection.WriteTimeout = Timeout.InfiniteTimeSpan;
                options.Connection.KeepAliveInterval = Timeout.InfiniteTimeSpan;
            });
        var clients = new List<ClientWebSocket>();
        for (var i = 0; i < Peers; i++)
        {
            clients.Add(await server.ConnectAsync());
            (await clients[i].ReceiveAsync(new byte[10], Until.Cancelled)).Count.Should().Be(10);
        }

        foreach (var client in clients)
            client.Abort();
        await Until.TrueAsync(() => Volatile.Read(ref ended) == Peers);
        server.Logs.Ours.Should().NotContain(record => record.Level > LogLevel.Debug);
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
                await connection.ReceiveAsync();   // over HTTP/2 an abort may overtake the handshake's answer
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
        await client.SendTextAsync("go");
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
