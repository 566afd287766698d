using System.Net;
using System.Net.Sockets;
using System.Text;

namespace RealtimeKit.Tests;

/// <summary>An HTTP/1.1 request on a socket of its own, for what no client sends or does: it reads when it likes, and only then.</summary>
internal sealed class RawRequest : IAsyncDisposable
{
    private readonly List<byte> _unread = [];

    private RawRequest(Socket socket) => Socket = socket;

    public Socket Socket { get; }

    public static async Task<RawRequest> SendAsync(int port, string path, params string[] headers)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, port, Until.Cancelled);
        string[] lines = [$"GET {path} HTTP/1.1", $"Host: 127.0.0.1:{port}", .. headers, "", ""];
        await socket.SendAsync(Encoding.UTF8.GetBytes(string.Join("\r\n", lines)), Until.Cancelled);
        return new RawRequest(socket);
    }

    /// <summary>What comes, chunk sizes included, up to the end of this text.</summary>
    public async Task<string> ReadUntilAsync(string text)
    {
        var wanted = Encoding.UTF8.GetBytes(text);
        var buffer = new byte[16 * 1024];
        while (true)
        {
            var index = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_unread).IndexOf(wanted);
            if (index >= 0)
            {
                var found = Encoding.UTF8.GetString([.. _unread[..(index + wanted.Length)]]);
                _unread.RemoveRange(0, index + wanted.Length);
                return found;
            }

            var count = await Socket.ReceiveAsync(buffer, Until.Cancelled);
            if (count == 0)
                throw new EndOfStreamException(Encoding.UTF8.GetString([.. _unread]));
            _unread.AddRange(buffer.AsSpan(0, count));
        }
    }

    /// <summary>Ends the connection with a reset, as a machine that lost power does once it is back.</summary>
    public void Reset()
    {
        Socket.LingerState = new LingerOption(true, 0);
        Socket.Dispose();
    }

    public ValueTask DisposeAsync()
    {
        Socket.Dispose();
        return default;
    }
}
