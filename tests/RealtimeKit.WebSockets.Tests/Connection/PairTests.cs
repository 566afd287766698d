using System.Buffers;
using System.Net.WebSockets;
using System.Text;

namespace RealtimeKit.WebSockets.Tests.Connection;

public class PairTests
{
    private static readonly CancellationToken Bound = TestContext.Current.CancellationToken;

    [Fact]
    public async Task ReceiveAsync_TextAndBinary_ArriveUnchanged()
    {
        var (client, server) = WebSocketConnection.CreatePair();
        await using var c = client;
        await using var s = server;

        await client.SendAsync("héllo", Bound);
        await client.SendAsync(new byte[] { 1, 2, 3 }, WebSocketMessageType.Binary, Bound);

        var first = await server.ReceiveAsync(Bound);
        first.Type.Should().Be(WebSocketMessageType.Text);
        first.GetText().Should().Be("héllo");
        var second = await server.ReceiveAsync(Bound);
        second.Type.Should().Be(WebSocketMessageType.Binary);
        second.ToArray().Should().Equal(1, 2, 3);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(125)]
    [InlineData(126)]
    [InlineData(65535)]
    [InlineData(65536)]
    [InlineData(1_000_000)]
    public async Task SendAsync_Sizes_EchoedByALoop(int size)
    {
        var (client, server) = WebSocketConnection.CreatePair();
        var echo = EchoAsync(server);
        var payload = new byte[size];
        new Random(size).NextBytes(payload);
        for (var i = 0; i < 3; i++)
        {
            await client.SendAsync(payload, WebSocketMessageType.Binary, Bound);
            var message = await client.ReceiveAsync(Bound);
            message.ToArray().Should().Equal(payload);
        }

        var result = await client.CloseAsync(WebSocketCloseStatus.NormalClosure, "bye", Bound);
        result.Should().Be(new WebSocketCloseResult(WebSocketCloseStatus.NormalClosure, "bye", WebSocketCloseInitiator.Local, true));
        await echo;
        server.CloseResult.Should().Be(new WebSocketCloseResult(WebSocketCloseStatus.NormalClosure, "bye", WebSocketCloseInitiator.Remote, true));
        await client.DisposeAsync();
    }

    private static async Task EchoAsync(WebSocketConnection connection)
    {
        await foreach (var message in connection.ReadAllAsync())
            await connection.SendAsync(message.Payload, message.Type);
        await connection.DisposeAsync();
    }
}
