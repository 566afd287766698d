using System.Net.Sockets;
using System.Net.WebSockets;
using RealtimeKit.WebSockets.Tests.Connection.Kit;

namespace RealtimeKit.WebSockets.Tests.Bridges;

/// <summary>Whose socket a contract test looks at: what holds for the BCL's must hold for ours.</summary>
public enum Implementation
{
    Bcl,
    Ours,
}

/// <summary>A socket over loopback TCP and a peer that writes raw frames.</summary>
internal sealed class SocketHarness : IAsyncDisposable
{
    private SocketHarness(WebSocket socket, Peer peer, bool isServer)
    {
        Socket = socket;
        Peer = peer;
        IsServer = isServer;
    }

    public WebSocket Socket { get; }

    public Peer Peer { get; }

    /// <summary>Whether the peer's frames are masked: the socket is the server's (RFC 6455 §5.1).</summary>
    public bool IsServer { get; }

    public static TheoryData<Implementation, bool> All => new()
    {
        { Implementation.Bcl, true }, { Implementation.Bcl, false }, { Implementation.Ours, true }, { Implementation.Ours, false },
    };

    public static async Task<SocketHarness> CreateAsync(Implementation implementation, bool isServer, Action<WebSocketConnectionOptions>? configure = null)
    {
        var (server, client, _, peerSocket) = await Harness.ConnectAsync(tls: false);
        var options = new WebSocketConnectionOptions { Role = isServer ? WebSocketRole.Server : WebSocketRole.Client, KeepAliveInterval = Timeout.InfiniteTimeSpan };
        configure?.Invoke(options);
        var socket = implementation == Implementation.Bcl
            ? WebSocket.CreateFromStream(server, new WebSocketCreationOptions { IsServer = isServer, KeepAliveInterval = TimeSpan.Zero })
            : WebSocketConnection.Create(server, options).AsWebSocket();
        return new SocketHarness(socket, new Peer(client, () => peerSocket.Shutdown(SocketShutdown.Send), () => Reset(peerSocket)), isServer);
    }

    public Task SendAsync(int opcode, byte[] payload, bool fin = true) => Peer.SendAsync(Frames.Frame(opcode, payload, fin, masked: IsServer));

    public Task SendCloseAsync(int? code = null, string reason = "") => Peer.SendAsync(Frames.CloseFrame(code, reason, masked: IsServer));

    public async ValueTask DisposeAsync()
    {
        Socket.Abort();
        Socket.Dispose();
        await Peer.DisposeAsync();
    }

    private static void Reset(Socket socket)
    {
        socket.LingerState = new LingerOption(enable: true, seconds: 0);
        socket.Close();
    }
}
