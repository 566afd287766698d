using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Logging;
using RealtimeKit.WebSockets;
using WebSocketClient = RealtimeKit.WebSockets.WebSocketClient;

namespace RealtimeKit.AspNetCore.Tests.WebSockets;

// permessage-deflate (RFC 7692) against independent implementations, in both roles.
public class CompressionTests
{
    public static TheoryData<Wire> All => Wires.All;

    // What each side asks for: takeover and window of the server and of the client.
    public static TheoryData<bool, bool, int, int> Parameters
    {
        get
        {
            var data = new TheoryData<bool, bool, int, int>();
            foreach (var takeovers in (int[])[0, 1, 2, 3])
                foreach (var (server, client) in ((int, int)[])[(15, 15), (9, 15), (15, 9), (8, 8), (10, 12)])
                    data.Add((takeovers & 1) != 0, (takeovers & 2) != 0, server, client);
            return data;
        }
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(All))]
    public async Task Echo_FrameworkClient_EveryWire(Wire wire)
    {
        await using var server = await StartAsync(wire, Everything());
        using var client = await server.ConnectAsync(configure: options => options.DangerousDeflateOptions = new WebSocketDeflateOptions());
        await EchoAllAsync(client);
        await client.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Until.Cancelled);
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(Parameters))]
    public async Task Echo_FrameworkClient_EveryAgreement(bool serverTakeover, bool clientTakeover, int serverBits, int clientBits)
    {
        PerMessageDeflateParameters? agreed = null;
        await using var server = await StartAsync(
            Wire.Pipes,
            Everything(),
            connection => agreed = connection.Compression);
        using var client = await server.ConnectAsync(configure: options => options.DangerousDeflateOptions = new WebSocketDeflateOptions
        {
            ServerContextTakeover = serverTakeover,
            ClientContextTakeover = clientTakeover,
            ServerMaxWindowBits = Math.Max(serverBits, 9),   // the framework refuses 8
            ClientMaxWindowBits = Math.Max(clientBits, 9),
        });
        await EchoAllAsync(client);
        await client.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Until.Cancelled);
        agreed.Should().Be(new PerMessageDeflateParameters
        {
            ServerContextTakeover = serverTakeover,
            ClientContextTakeover = clientTakeover,
            ServerMaxWindowBits = Math.Max(serverBits, 9),
            ClientMaxWindowBits = Math.Max(clientBits, 9),
        });
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(Parameters))]
    public async Task Echo_NpmWsClient_EveryAgreement(bool serverTakeover, bool clientTakeover, int serverBits, int clientBits)
    {
        PerMessageDeflateParameters? agreed = null;
        await using var server = await StartAsync(
            Wire.Pipes,
            Everything(),
            connection => agreed = connection.Compression);
        await using var node = NodeScript.Start("compress", $"{server.Uri()}", Json(serverTakeover, clientTakeover, serverBits, clientBits));
        (await node.ReadAsync()).GetProperty("extensions").GetString().Should().Be("permessage-deflate");
        var sizes = await node.ReadAsync();
        sizes.GetProperty("read").GetInt32().Should().BeLessThan(sizes.GetProperty("total").GetInt32() / 2, "what comes back is compressed");
        // The client may have the 101 before the handler runs, but no echo.
        agreed.Should().Be(new PerMessageDeflateParameters
        {
            ServerContextTakeover = serverTakeover,
            ClientContextTakeover = clientTakeover,
            ServerMaxWindowBits = serverBits,
            ClientMaxWindowBits = clientBits,
        });
        (await node.ReadAsync()).GetProperty("code").GetInt32().Should().Be(1000);
        await node.ExitAsync();
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(Parameters))]
    public async Task Echo_NpmWsServer_EveryAgreement(bool serverTakeover, bool clientTakeover, int serverBits, int clientBits)
    {
        await using var node = NodeScript.Start("serve", Json(serverTakeover, clientTakeover, serverBits, clientBits));
        var port = (await node.ReadAsync()).GetProperty("port").GetInt32();
        var options = new WebSocketClientOptions
        {
            UseProxy = false,
            Connection = { Compression = Everything() },
        };
        await using (var connection = await WebSocketClient.ConnectAsync(new Uri($"ws://127.0.0.1:{port}/"), options, Until.Cancelled))
        {
            connection.Compression.Should().Be(new PerMessageDeflateParameters
            {
                ServerContextTakeover = serverTakeover,
                ClientContextTakeover = clientTakeover,
                ServerMaxWindowBits = serverBits,
                ClientMaxWindowBits = clientBits,
            });
            await EchoAllAsync(connection.AsWebSocket());
            await connection.CloseAsync(WebSocketCloseStatus.NormalClosure, cancellationToken: Until.Cancelled);
        }

        var closed = await node.ReadAsync();
        closed.GetProperty("code").GetInt32().Should().Be(1000);
        closed.GetProperty("extensions").GetString().Should().Be("permessage-deflate");
        await node.ExitAsync();
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(Parameters))]
    public async Task Echo_PythonWebsockets_EveryAgreement(bool serverTakeover, bool clientTakeover, int serverBits, int clientBits)
    {
        await using var server = await StartAsync(Wire.Stream, Everything());
        // zlib itself has no raw streams with a window of 8 bits.
        await using var python = NodeScript.StartPythonClient($"{server.Uri()}",
            $$"""{"server_no_context_takeover":{{Lower(!serverTakeover)}},"client_no_context_takeover":{{Lower(!clientTakeover)}},"server_max_window_bits":{{Math.Max(serverBits, 9)}},"client_max_window_bits":{{Math.Max(clientBits, 9)}}}""");
        (await python.ReadAsync()).GetProperty("extensions").EnumerateArray().Should().ContainSingle().Which.GetString().Should().Contain("PerMessageDeflate");
        (await python.ReadAsync()).GetProperty("code").GetInt32().Should().Be(1000);
        await python.ExitAsync();
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(All))]
    public async Task Echo_OurClient_EveryWire(Wire wire)
    {
        await using var server = await StartAsync(wire, new PerMessageDeflateOptions { MinimumSize = 0 });
        using var invoker = TestServerHost.NewInvoker();
        var options = new WebSocketClientOptions
        {
            HttpVersion = wire.IsHttp2() ? System.Net.HttpVersion.Version20 : System.Net.HttpVersion.Version11,
            HttpVersionPolicy = System.Net.Http.HttpVersionPolicy.RequestVersionExact,
            Invoker = invoker,
            Connection = { Compression = new PerMessageDeflateOptions { ClientMaxWindowBits = 10 } },
        };
        await using var connection = await WebSocketClient.ConnectAsync(server.Uri(), options, Until.Cancelled);
        connection.Compression.Should().Be(new PerMessageDeflateParameters { ClientMaxWindowBits = 10 });
        await EchoAllAsync(connection.AsWebSocket());
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Handshake_ClientWithoutOffer_GoesOnUncompressed()
    {
        await using var server = await StartAsync(Wire.Pipes, new PerMessageDeflateOptions(), connection => connection.Compression.Should().BeNull());
        using var client = await server.ConnectAsync();
        await EchoAllAsync(client);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Handshake_CompressionOff_IsNotAnswered()
    {
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, Handlers.EchoAsync);
        await using var client = await server.ConnectRawAsync("/ws", "Sec-WebSocket-Extensions: permessage-deflate");
        client.Head.Should().NotContain("permessage-deflate");
    }

    // RFC 7692 §5.1: in the client's order, passing over what cannot be met.
    [Fact(Timeout = Until.Bound)]
    public async Task Handshake_SeveralOffers_TheFirstGoodOneIsAnswered()
    {
        await using var server = await StartAsync(Wire.Pipes, new PerMessageDeflateOptions());
        await using var client = await server.ConnectRawAsync(
            "/ws", "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=16, permessage-deflate; server_max_window_bits=9, permessage-deflate");
        client.Head.Should().Contain("sec-websocket-extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=9");
    }

    // Its own sockets do the framing there, so nothing may be promised.
    [Fact(Timeout = Until.Bound)]
    public async Task Handshake_TestServer_IsNotCompressed()
    {
        PerMessageDeflateParameters? agreed = default(PerMessageDeflateParameters);
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseTestServer();
        builder.Logging.ClearProviders();
        await using var app = builder.Build();
        app.MapWebSocket("/ws", new WebSocketEndpointOptions { Compression = new PerMessageDeflateOptions() }, connection =>
        {
            agreed = connection.Compression;
            return Handlers.EchoAsync(connection);
        });
        await app.StartAsync(Until.Cancelled);
        var client = app.GetTestServer().CreateWebSocketClient();
        client.ConfigureRequest = request => request.Headers.SecWebSocketExtensions = "permessage-deflate";
        using var socket = await client.ConnectAsync(new Uri("ws://localhost/ws"), Until.Cancelled);
        await socket.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Text, true, Until.Cancelled);
        await socket.ReceiveAsync(new byte[10], Until.Cancelled);
        agreed.Should().BeNull();
    }

    // The scripts repeat themselves more than the default ratio allows.
    private static PerMessageDeflateOptions Everything() =>
        new() { ServerContextTakeover = true, ClientContextTakeover = true, MinimumSize = 0, MaxInflateRatio = 0 };

    private static Task<TestServerHost> StartAsync(Wire wire, PerMessageDeflateOptions compression, Action<WebSocketConnection>? check = null) =>
        TestServerHost.StartAsync(
            wire,
            connection =>
            {
                check?.Invoke(connection);
                return Handlers.EchoAsync(connection);
            },
            options => options.Compression = compression);

    private static async Task EchoAllAsync(WebSocket socket)
    {
        var random = new Random(1);
        var buffer = new byte[300_000];
        foreach (var size in (int[])[0, 1, 16, 100, 1000, 5000, 70_000, 250_000, 1000, 1000])
        {
            var text = string.Concat(Enumerable.Range(0, size / 20 + 1).Select(i => $"{{\"id\":{random.Next(1000)},\"ok\":true}},"))[..size];
            var noise = new byte[size];
            random.NextBytes(noise);
            foreach (var (message, type) in ((byte[], WebSocketMessageType)[])[(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text), (noise, WebSocketMessageType.Binary)])
            {
                await socket.SendAsync(message, type, endOfMessage: true, Until.Cancelled);
                var count = 0;
                ValueWebSocketReceiveResult result;
                do
                {
                    result = await socket.ReceiveAsync(buffer.AsMemory(count), Until.Cancelled);
                    count += result.Count;
                }
                while (!result.EndOfMessage);
                result.MessageType.Should().Be(type);
                buffer.AsSpan(0, count).SequenceEqual(message).Should().BeTrue("{0} bytes come back", size);
            }
        }
    }

    private static string Json(bool serverTakeover, bool clientTakeover, int serverBits, int clientBits) =>
        $$"""{"serverNoContextTakeover":{{Lower(!serverTakeover)}},"clientNoContextTakeover":{{Lower(!clientTakeover)}},"serverMaxWindowBits":{{serverBits}},"clientMaxWindowBits":{{clientBits}}}""";

    private static string Lower(bool value) => value ? "true" : "false";
}
