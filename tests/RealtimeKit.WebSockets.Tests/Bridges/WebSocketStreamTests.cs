using System.Net.WebSockets;
using RealtimeKit.WebSockets.Tests.Connection.Kit;

namespace RealtimeKit.WebSockets.Tests.Bridges;

/// <summary>The BCL's <see cref="WebSocketStream"/> asks for everything that a socket promises.</summary>
public class WebSocketStreamTests
{
    private static readonly CancellationToken Never = CancellationToken.None;

    public static TheoryData<Implementation> Implementations => [.. Enum.GetValues<Implementation>()];

    [Theory, MemberData(nameof(Implementations))]
    public async Task Create_BothEnds_IsAStreamOfBytes(Implementation implementation)
    {
        var (left, right) = await ConnectAsync(implementation);
        await using var client = WebSocketStream.Create(left, WebSocketMessageType.Binary, closeTimeout: TimeSpan.FromSeconds(10));
        await using var server = WebSocketStream.Create(right, WebSocketMessageType.Binary, closeTimeout: TimeSpan.FromSeconds(10));
        var sent = Frames.Pattern(300_000);
        var write = Task.Run(async () =>
        {
            for (var offset = 0; offset < sent.Length; offset += 7001)
                await client.WriteAsync(sent.AsMemory(offset, Math.Min(7001, sent.Length - offset)), Never);
            await client.DisposeAsync();
        }, Never);
        var received = new MemoryStream();
        await server.CopyToAsync(received, 5000, Never).Within();
        received.ToArray().Should().Equal(sent);
        await server.DisposeAsync().Within();
        await write.Within();
        left.State.Should().Be(WebSocketState.Closed);
        right.State.Should().Be(WebSocketState.Closed);
    }

    [Theory, MemberData(nameof(Implementations))]
    public async Task CreateMessageStreams_OneMessage_EndsWithIt(Implementation implementation)
    {
        var (left, right) = await ConnectAsync(implementation);
        for (var round = 0; round < 3; round++)
        {
            await using (var write = WebSocketStream.CreateWritableMessageStream(left, WebSocketMessageType.Text))
            {
                await write.WriteAsync("Hel"u8.ToArray(), Never);
                await write.WriteAsync("lo"u8.ToArray(), Never);
            }

            await using var read = WebSocketStream.CreateReadableMessageStream(right);
            (await new StreamReader(read).ReadToEndAsync(Never).Within()).Should().Be("Hello");
        }

        left.Abort();
        right.Abort();
        left.Dispose();
        right.Dispose();
    }

    private static async Task<(WebSocket Client, WebSocket Server)> ConnectAsync(Implementation implementation)
    {
        if (implementation == Implementation.Ours)
        {
            var (client, server) = WebSocketConnection.CreatePair();
            return (client.AsWebSocket(), server.AsWebSocket());
        }

        var (serverStream, clientStream, _, _) = await Harness.ConnectAsync(tls: false);
        return (
            WebSocket.CreateFromStream(clientStream, new WebSocketCreationOptions { IsServer = false }),
            WebSocket.CreateFromStream(serverStream, new WebSocketCreationOptions { IsServer = true }));
    }
}
