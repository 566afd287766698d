namespace RealtimeKit.Security.Tests;

/// <summary>SECURITY.md, CRIME and BREACH: a secret beside what the attacker chose, compressed together, is told by the length.</summary>
public class CompressedSecretTests
{
    private const string Secret = "token=7f3Kq9ZxW2LmP8vTbN4c";
    private const string Extension = "Sec-WebSocket-Extensions: permessage-deflate";

    private static readonly string Padding = string.Concat(Enumerable.Range(0, 300).Select(static i => (char)(' ' + (i * 37 % 90))));

    [Theory(Timeout = Until.Bound), InlineData(false), InlineData(true)]
    public async Task Secret_WithTheOptOut_HasOneLength(bool takeover)
    {
        AssertTellsNothing(await GuessAsync(takeover, WebSocketMessageFlags.EndOfMessage | WebSocketMessageFlags.DisableCompression));
        var guessed = await GuessAsync(takeover, WebSocketMessageFlags.EndOfMessage);
        Proof.FailsWithoutTheLimit(() => AssertTellsNothing(guessed));
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Compression_ByDefault_IsOff()
    {
        await using var server = await Hosts.StartAsync(Wire.Pipes);
        await using var peer = await server.ConnectRawAsync("/ws", Extension);
        peer.StatusCode.Should().Be(101);
        peer.Head.Should().NotContain("permessage-deflate");
        new WebSocketEndpointOptions().Compression.Should().BeNull();
        new WebSocketClientOptions().Connection.Compression.Should().BeNull();
        new TopicEndpointOptions().WebSockets.Compression.Should().BeNull();
    }

    private static void AssertTellsNothing((int Right, int Wrong) lengths) => lengths.Right.Should().Be(lengths.Wrong);

    /// <summary>How long the server's answers are on the wire for a guess that is right, and one that is wrong.</summary>
    private static async Task<(int Right, int Wrong)> GuessAsync(bool takeover, WebSocketMessageFlags flags)
    {
        await using var server = await Hosts.StartAsync(
            Wire.Pipes,
            options => options.Compression = new() { ServerContextTakeover = takeover },
            async connection =>
            {
                await foreach (var message in connection.ReadAllAsync())
                    await connection.SendAsync(Encoding.UTF8.GetBytes($"{Secret}&{Padding}&reflected={message.GetText()}"), WebSocketMessageType.Text, flags);
            });
        return (await LengthAsync("token=7f3Kq9ZxW2LmP8vTbN4c"), await LengthAsync("token=Xd8Vy1RbQ5JhS6nGwM0e"));

        async Task<int> LengthAsync(string guess)
        {
            await using var peer = await Peer.ConnectAsync(server, "/ws", Extension);
            await peer.SendAsync(RawWebSocket.Text(guess));
            return (await peer.ReceiveAsync())!.Payload.Length;
        }
    }
}
