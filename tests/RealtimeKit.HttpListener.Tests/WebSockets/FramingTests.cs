using System.Net.WebSockets;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Listener.Tests.WebSockets;

/// <summary>What the framework's socket, which frames the bytes here, makes of them.</summary>
public class FramingTests
{
    [Fact(Timeout = Until.Bound)]
    public async Task Message_InThousandsOfPieces_IsNoViolation()
    {
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, Handlers.EchoAsync);
        await using var client = await server.ConnectRawAsync();
        var pieces = Enumerable.Repeat(RawWebSocket.Frame(0, "x"u8, isFinal: false), 3000).SelectMany(frame => frame).ToArray();
        await client.SendAsync(RawWebSocket.Frame(1, [], isFinal: false), pieces, RawWebSocket.Frame(0, []));
        (await client.ReceiveAsync())!.Text.Should().Be(new string('x', 3000));
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Message_LargerThanTheLimit_IsRefusedWith1009()
    {
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, Handlers.EchoAsync, options => options.Connection.MaxMessageSize = 1000);
        using var client = await server.ConnectAsync();
        await client.SendAsync(new byte[1000], WebSocketMessageType.Binary, true, Until.Cancelled);
        (await client.ReceiveMessageAsync()).Payload.Should().HaveCount(1000);
        await client.SendAsync(new byte[1001], WebSocketMessageType.Binary, true, Until.Cancelled);
        await client.ReceiveMessageAsync();
        client.CloseStatus.Should().Be(WebSocketCloseStatus.MessageTooBig);
    }

    // RFC 6455 §8.1 and §5: the framework says why before the connection is lost.
    [Theory(Timeout = Until.Bound)]
    [InlineData("reserved opcode", 1002)]
    [InlineData("unmasked", 1002)]
    [InlineData("lone continuation", 1002)]
    [InlineData("invalid UTF-8", 1007)]
    public async Task Violation_OfThisKind_IsToldInACloseFrame(string kind, int status)
    {
        var frame = kind switch
        {
            "reserved opcode" => RawWebSocket.Frame(3, "x"u8),
            "unmasked" => RawWebSocket.Frame(1, "four bytes of a mask at least"u8, isMasked: false),
            "lone continuation" => RawWebSocket.Frame(0, "x"u8),
            _ => RawWebSocket.Frame(1, [0xF4, 0x90]),
        };
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, Handlers.EchoAsync);
        await using var client = await server.ConnectRawAsync();
        await client.SendAsync(frame);
        ((int?)(await client.ReceiveAsync())!.CloseStatus).Should().Be(status);
        await Until.TrueAsync(() => server.Logs.Ours.Any(record => record.Event.Name == "Closed"));
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Bytes_SentWithTheHandshake_AreLostByTheFramework()
    {
        // Not what anybody wants: should a framework keep them one day, docs/httplistener.md no longer needs to say so.
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, Handlers.EchoAsync);
        using var http = await RawHttp.ConnectAsync(server.Port);
        await http.SendAsync($"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{server.Port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n\u0081\u0081\0\0\0\0A");
        (await http.ReadHeadAsync()).Status.Should().Be(101);
        await http.SendAsync("\u0081\u0081\0\0\0\0B");
        (await http.ReadAsync(3)).Should().Be("\u0081\u0001B");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Ping_ByTheServer_IsNotSupported()
    {
        var thrown = new TaskCompletionSource<Exception>();
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, async (WebSocketConnection connection) =>
        {
            try
            {
                await connection.PingAsync();
            }
            catch (NotSupportedException error)
            {
                thrown.SetResult(error);
            }
        });
        using var client = await server.ConnectAsync();
        await thrown.Task;
    }
}
