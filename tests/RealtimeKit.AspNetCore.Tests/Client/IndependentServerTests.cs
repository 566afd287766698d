using System.Net.WebSockets;
using RealtimeKit.AspNetCore.Tests.WebSockets;
using RealtimeKit.WebSockets;

namespace RealtimeKit.AspNetCore.Tests.Client;

/// <summary>Our client against servers that share no code with it: npm ws and Debian's python3-websockets.</summary>
public class IndependentServerTests
{
    [Fact(Timeout = Until.Bound)]
    public async Task NpmWs_Echo_GivesEverythingBack()
    {
        await using var node = NodeScript.StartServer();
        var uri = await UriOfAsync(node);
        await using var client = await WebSocketClient.ConnectAsync(uri, new WebSocketClientOptions { SubProtocols = ["a", "b"] }, Until.Cancelled);
        client.SubProtocol.Should().Be("b");
        await EchoAsync(client);
        await client.SendAsync("fragments", Until.Cancelled);
        (await client.ReceiveAsync(Until.Cancelled)).GetText().Should().Be("one two three");
        (await client.PingAsync(Until.Cancelled)).Should().BePositive();
        (await node.ReadAsync()).TryGetProperty("ping", out _).Should().BeTrue();
        (await client.CloseAsync((WebSocketCloseStatus)4000, "bye", Until.Cancelled)).IsClean.Should().BeTrue();
        var closed = await node.ReadAsync();
        (closed.GetProperty("code").GetInt32(), closed.GetProperty("reason").GetString()).Should().Be((4000, "bye"));
    }

    [Fact(Timeout = Until.Bound)]
    public async Task NpmWs_ClosesViolatesAndTerminates_IsToldApart()
    {
        await using var node = NodeScript.StartServer();
        var uri = await UriOfAsync(node);
        await using (var closed = await WebSocketClient.ConnectAsync(uri, cancellationToken: Until.Cancelled))
        {
            await closed.SendAsync("close 4321", Until.Cancelled);
            (await closed.ReceiveAsync(Until.Cancelled)).Type.Should().Be(WebSocketMessageType.Close);
            closed.CloseResult.Should().Be(new WebSocketCloseResult((WebSocketCloseStatus)4321, "as told", WebSocketCloseInitiator.Remote, true));
            (await node.ReadAsync()).GetProperty("code").GetInt32().Should().Be(4321);
        }

        await using (var violated = await WebSocketClient.ConnectAsync(new Uri(uri, "/violate"), cancellationToken: Until.Cancelled))
        {
            (await FluentActions.Awaiting(() => violated.ReceiveAsync(Until.Cancelled).AsTask()).Should().ThrowAsync<WebSocketProtocolException>())
                .Which.Error.Should().Be(WebSocketProtocolError.ReservedOpcode);
            (await node.ReadAsync()).GetProperty("code").GetInt32().Should().Be(1002, "the server learns why");
        }

        await using var terminated = await WebSocketClient.ConnectAsync(uri, cancellationToken: Until.Cancelled);
        await terminated.SendAsync("terminate", Until.Cancelled);
        (await terminated.ReceiveAsync(Until.Cancelled)).Type.Should().Be(WebSocketMessageType.Close);
        terminated.CloseResult!.Value.Initiator.Should().Be(WebSocketCloseInitiator.Network);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task PythonWebSockets_EchoAndClose_Work()
    {
        await using var python = NodeScript.StartPythonServer();
        var uri = await UriOfAsync(python);
        await using (var client = await WebSocketClient.ConnectAsync(uri, new WebSocketClientOptions { SubProtocols = ["a", "b"] }, Until.Cancelled))
        {
            client.SubProtocol.Should().Be("b");
            await EchoAsync(client);
        }

        (await python.ReadAsync()).GetProperty("code").GetInt32().Should().Be(1000);
        await using var closed = await WebSocketClient.ConnectAsync(uri, cancellationToken: Until.Cancelled);
        await closed.SendAsync("close 4321", Until.Cancelled);
        (await closed.ReceiveAsync(Until.Cancelled)).Type.Should().Be(WebSocketMessageType.Close);
        closed.CloseResult.Should().Be(new WebSocketCloseResult((WebSocketCloseStatus)4321, "as told", WebSocketCloseInitiator.Remote, true));
    }

    private static async Task<Uri> UriOfAsync(NodeScript server) => new($"ws://127.0.0.1:{(await server.ReadAsync()).GetProperty("port").GetInt32()}/");

    private static async Task EchoAsync(WebSocketConnection client)
    {
        foreach (var size in (int[])[0, 1, 125, 126, 65_535, 65_536, 300_000])
        {
            var payload = new byte[size];
            Array.Fill(payload, (byte)0xFE);
            await client.SendAsync(payload, WebSocketMessageType.Binary, Until.Cancelled);
            (await client.ReceiveAsync(Until.Cancelled)).ToArray().AsSpan().SequenceEqual(payload).Should().BeTrue();
            var text = new string('ä', size);
            await client.SendAsync(text, Until.Cancelled);
            var message = await client.ReceiveAsync(Until.Cancelled);
            message.Type.Should().Be(WebSocketMessageType.Text);
            message.GetText().Should().Be(text);
        }
    }
}
