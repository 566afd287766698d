using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>
/// The kernel's share: a frame, encoded once, goes to every connection's socket with one system call, past Kestrel and everybody's
/// buffers. No implementation does this: a send that the socket does not take whole breaks the connection.
/// </summary>
internal sealed class SocketFloor : IFanOut
{
    private readonly SubscriberList<Socket> _sockets = new();

    public int Subscribers => _sockets.Count;

    public void Map(WebApplication app) => app.MapGet("/ws", async context =>
    {
        await using var stream = await BareEcho.UpgradeAsync(context);
        var socket = context.Features.GetRequiredFeature<IConnectionSocketFeature>().Socket;
        _sockets.Add(socket);
        try
        {
            await stream.ReadExactlyAsync(new byte[1]);
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException)
        {
            // The load goes without a close handshake.
        }
        finally
        {
            _sockets.Remove(socket);
        }
    });

    public ValueTask PublishAsync(ReadOnlyMemory<byte> message)
    {
        var size = message.Length;
        byte[] frame = size < 126
            ? [0x81, (byte)size, .. message.Span]
            : [0x81, 126, (byte)(size >> 8), (byte)size, .. message.Span];
        foreach (var socket in _sockets.Snapshot())
            if (socket.Send(frame, SocketFlags.None, out _) != frame.Length)
                socket.Dispose();
        return default;
    }
}
