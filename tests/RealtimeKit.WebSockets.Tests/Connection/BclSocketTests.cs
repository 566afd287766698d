using System.Net.WebSockets;

namespace RealtimeKit.WebSockets.Tests.Connection;

public class BclSocketTests
{
    private static readonly CancellationToken Bound = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(125)]
    [InlineData(126)]
    [InlineData(4000)]
    [InlineData(70_000)]
    public async Task Create_OverABclSocket_EchoesMessages(int size)
    {
        var (left, right) = SocketPair();
        await using var server = WebSocketConnection.Create(left);
        var echo = EchoAsync(server);
        var payload = new byte[size];
        new Random(size).NextBytes(payload);
        var buffer = new byte[size + 1];
        for (var i = 0; i < 3; i++)
        {
            await right.SendAsync(payload, WebSocketMessageType.Binary, true, Bound);
            var received = 0;
            ValueWebSocketReceiveResult result;
            do
            {
                result = await right.ReceiveAsync(buffer.AsMemory(received), Bound);
                received += result.Count;
            }
            while (!result.EndOfMessage);
            buffer.AsSpan(0, received).ToArray().Should().Equal(payload);
        }

        await right.CloseAsync(WebSocketCloseStatus.NormalClosure, "bye", Bound);
        await echo;
        server.CloseResult.Should().Be(new WebSocketCloseResult(WebSocketCloseStatus.NormalClosure, "bye", WebSocketCloseInitiator.Remote, true));
        right.CloseStatus.Should().Be(WebSocketCloseStatus.NormalClosure);
    }

    [Fact]
    public async Task CloseAsync_OverABclSocket_RunsTheHandshake()
    {
        var (left, right) = SocketPair();
        await using var server = WebSocketConnection.Create(left);
        var close = server.CloseAsync(WebSocketCloseStatus.EndpointUnavailable, "later", Bound);
        var result = await right.ReceiveAsync(new byte[16].AsMemory(), Bound);
        result.MessageType.Should().Be(WebSocketMessageType.Close);
        right.CloseStatus.Should().Be(WebSocketCloseStatus.EndpointUnavailable);
        await right.CloseOutputAsync(WebSocketCloseStatus.EndpointUnavailable, null, Bound);
        (await close).Should().Be(new WebSocketCloseResult(WebSocketCloseStatus.EndpointUnavailable, "later", WebSocketCloseInitiator.Local, true));
    }

    [Fact]
    public async Task PingAsync_OverABclSocket_IsNotSupported()
    {
        var (left, _) = SocketPair();
        await using var server = WebSocketConnection.Create(left);
        await FluentActions.Awaiting(() => server.PingAsync(Bound).AsTask()).Should().ThrowAsync<NotSupportedException>();
        server.Abort();
        await server.DisposeAsync();
    }

    private static async Task EchoAsync(WebSocketConnection connection)
    {
        await foreach (var message in connection.ReadAllAsync())
            await connection.SendAsync(message.Payload, message.Type);
    }

    private static (WebSocket Server, WebSocket Client) SocketPair()
    {
        var (client, server) = LoopbackStreams.Create();
        return (
            WebSocket.CreateFromStream(server, new WebSocketCreationOptions { IsServer = true }),
            WebSocket.CreateFromStream(client, new WebSocketCreationOptions { IsServer = false }));
    }
}
