namespace RealtimeKit.Security.Tests;

/// <summary>Opens WebSockets for peers that send what they like, over whatever version of HTTP.</summary>
internal static class Peer
{
    public static async Task<RawWebSocket> ConnectAsync(TestServerHost server, string path = "/ws", params string[] headers)
    {
        if (!server.Wire.IsHttp2())
        {
            var raw = await server.ConnectRawAsync(path, headers);
            raw.StatusCode.Should().Be(101);
            return raw;
        }

        using var request = new HttpRequestMessage(HttpMethod.Connect, server.HttpUri(path)) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        request.Headers.Protocol = "websocket";
        request.Headers.TryAddWithoutValidation("Sec-WebSocket-Version", "13");
        foreach (var header in headers)
        {
            var colon = header.IndexOf(':');
            request.Headers.TryAddWithoutValidation(header[..colon], header[(colon + 1)..].Trim());
        }

        var response = await TestServerHost.NewInvoker().SendAsync(request, Until.Cancelled);
        response.StatusCode.Should().Be(HttpStatusCode.OK);
        return RawWebSocket.Over(await response.Content.ReadAsStreamAsync(Until.Cancelled));
    }

    /// <summary>Sends until the other side has had enough, and reads what it says to that.</summary>
    /// <param name="peer">The peer.</param>
    /// <param name="chunk">What is sent each time: some frames.</param>
    /// <param name="times">How often, at most.</param>
    /// <returns>The close code, where one came; <see langword="null"/> where everything was taken without one.</returns>
    public static async Task<WebSocketCloseStatus?> FloodAsync(this RawWebSocket peer, ReadOnlyMemory<byte> chunk, int times)
    {
        var closing = ReadCloseAsync(peer);
        try
        {
            for (var i = 0; i < times && !closing.IsCompleted; i++)
                await peer.Stream.WriteAsync(chunk, Until.Cancelled);
            if (!closing.IsCompleted)
                await peer.SendAsync(RawWebSocket.Frame(9, "are you there?"u8));
        }
        catch (Exception error) when (error is IOException or HttpRequestException || (error is OperationCanceledException && !Until.Cancelled.IsCancellationRequested))
        {
            // It hangs up on those who do not stop. Over HTTP/2 the client may cancel the write under way by itself (RFC 9113 §8.1).
        }

        return await closing;
    }

    /// <summary>Reads up to a Close frame, or the pong that says that there will be none.</summary>
    public static async Task<WebSocketCloseStatus?> ReadCloseAsync(this RawWebSocket peer)
    {
        try
        {
            while (await peer.ReceiveAsync() is { } frame)
            {
                if (frame.Opcode == 8)
                    return frame.CloseStatus;
                if (frame is { Opcode: 10, Text: "are you there?" })
                    return null;
            }
        }
        catch (Exception error) when (error is IOException or HttpRequestException)
        {
            return WebSocketCloseStatus.Empty;   // reset: over, without a word
        }

        return WebSocketCloseStatus.Empty;
    }
}
