using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace RealtimeKit.Listener.Tests;

/// <summary>HTTP/1.1 on a socket of its own, for what no client sends.</summary>
internal sealed class RawHttp(Socket socket) : IDisposable
{
    public static async Task<RawHttp> ConnectAsync(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, port, Until.Cancelled);
        return new RawHttp(socket);
    }

    /// <summary>One request on a connection of its own.</summary>
    public static async Task<(int Status, string Response)> SendAsync(int port, string method, string path, params string[] headers)
    {
        using var http = await ConnectAsync(port);
        string[] lines = [$"{method} {path} HTTP/1.1", $"Host: 127.0.0.1:{port}", .. headers, "", ""];
        await http.SendAsync(string.Join("\r\n", lines));
        return await http.ReadHeadAsync();
    }

    public async Task SendAsync(string text) => await socket.SendAsync(Encoding.Latin1.GetBytes(text), Until.Cancelled);

    /// <summary>Status and headers; status 0 where the connection ended, or was reset, before.</summary>
    public async Task<(int Status, string Response)> ReadHeadAsync()
    {
        var text = new StringBuilder();
        var buffer = new byte[4096];
        try
        {
            while (!text.ToString().Contains("\r\n\r\n"))
            {
                var count = await socket.ReceiveAsync(buffer, Until.Cancelled);
                if (count == 0)
                    break;
                text.Append(Encoding.Latin1.GetString(buffer, 0, count));
            }
        }
        catch (SocketException)
        {
            // A reset.
        }

        var head = text.ToString();
        return (!head.StartsWith("HTTP/", StringComparison.Ordinal) ? 0 : int.Parse(head.Split(' ')[1], CultureInfo.InvariantCulture), head);
    }

    /// <summary>The next bytes.</summary>
    public async Task<string> ReadAsync(int count)
    {
        var buffer = new byte[count];
        await using var stream = new NetworkStream(socket, ownsSocket: false);
        await stream.ReadExactlyAsync(buffer, Until.Cancelled);
        return Encoding.Latin1.GetString(buffer);
    }

    /// <summary>What still comes, until the connection ends or is reset.</summary>
    public async Task<string> ReadToEndAsync()
    {
        var text = new StringBuilder();
        var buffer = new byte[4096];
        try
        {
            while (await socket.ReceiveAsync(buffer, Until.Cancelled) is > 0 and var count)
                text.Append(Encoding.Latin1.GetString(buffer, 0, count));
        }
        catch (SocketException)
        {
            // A reset.
        }

        return text.ToString();
    }

    public void Dispose() => socket.Dispose();
}
