using System.Buffers;
using System.Net.WebSockets;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>
/// The framework's own WebSockets as a careful application uses them: one buffer for the connection's life, whole messages, the
/// overloads that allocate nothing, default keep-alive. With zero-byte reads an idle connection holds no buffer.
/// </summary>
internal static class FrameworkEcho
{
    public static void Map(WebApplication app, int bufferSize, bool zeroByteReads, string compression)
    {
        app.UseWebSockets();
        app.Map("/ws", async context =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync(new WebSocketAcceptContext
            {
                DangerousEnableCompression = compression != "off",
                DisableServerContextTakeover = compression == "on",
            });
            try
            {
                if (zeroByteReads)
                    await EchoWithZeroByteReadsAsync(socket, bufferSize);
                else
                    await EchoAsync(socket, new byte[bufferSize]);
            }
            catch (WebSocketException)
            {
                // The load generator goes without a close handshake.
            }
        });
    }

    private static async Task EchoAsync(WebSocket socket, byte[] buffer)
    {
        var length = 0;
        while (true)
        {
            if (length == buffer.Length)
                Array.Resize(ref buffer, buffer.Length * 2);
            var result = await socket.ReceiveAsync(buffer.AsMemory(length), CancellationToken.None);
            if (result.MessageType == WebSocketMessageType.Close)
                return;
            length += result.Count;
            if (!result.EndOfMessage)
                continue;
            await socket.SendAsync(buffer.AsMemory(0, length), result.MessageType, endOfMessage: true, CancellationToken.None);
            length = 0;
        }
    }

    private static async Task EchoWithZeroByteReadsAsync(WebSocket socket, int bufferSize)
    {
        while (true)
        {
            var result = await socket.ReceiveAsync(Memory<byte>.Empty, CancellationToken.None);
            if (result.MessageType == WebSocketMessageType.Close)
                return;

            var buffer = ArrayPool<byte>.Shared.Rent(bufferSize);
            try
            {
                var length = 0;
                while (!result.EndOfMessage || length == 0)
                {
                    result = await socket.ReceiveAsync(buffer.AsMemory(length), CancellationToken.None);
                    if (result.MessageType == WebSocketMessageType.Close)
                        return;
                    length += result.Count;
                    if (length == buffer.Length && !result.EndOfMessage)
                        throw new InvalidOperationException("The message is larger than the buffer.");
                }
                await socket.SendAsync(buffer.AsMemory(0, length), result.MessageType, endOfMessage: true, CancellationToken.None);
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }
    }
}
