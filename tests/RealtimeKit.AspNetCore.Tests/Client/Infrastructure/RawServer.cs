using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using RealtimeKit.AspNetCore.Tests.WebSockets;

namespace RealtimeKit.AspNetCore.Tests.Client;

/// <summary>A server that answers whatever a test wants: it reads a request's head and hands over the stream.</summary>
internal sealed class RawServer : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<string, Stream, CancellationToken, Task> _answer;

    public RawServer(Func<string, Stream, CancellationToken, Task> answer)
    {
        _answer = answer;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        _ = AcceptAsync();
    }

    /// <summary>Answers with a head, in which {accept} stands for the right Sec-WebSocket-Accept, and leaves the connection open.</summary>
    public RawServer(string answer)
        : this(async (request, stream, stop) =>
        {
            await stream.WriteAsync(Encoding.Latin1.GetBytes(answer.Replace("{accept}", AcceptOf(request), StringComparison.Ordinal)), stop);
            await Task.Delay(Timeout.Infinite, stop);
        })
    {
    }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    public Uri Uri => new($"ws://127.0.0.1:{Port}/ws");

    /// <summary>The heads of the requests so far.</summary>
    public List<string> Requests { get; } = [];

    /// <summary>RFC 6455 §4.2.2 item 5.4, apart from the library.</summary>
    public static string AcceptOf(string request)
    {
        var key = request.Split("\r\n").FirstOrDefault(line => line.StartsWith("Sec-WebSocket-Key: ", StringComparison.OrdinalIgnoreCase))?["Sec-WebSocket-Key: ".Length..];
#pragma warning disable CA5350 // The protocol's own.
        return Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
#pragma warning restore CA5350
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = ServeAsync(await _listener.AcceptAsync(_stop.Token));
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        socket.NoDelay = true;
        await using var stream = new NetworkStream(socket, ownsSocket: true);
        try
        {
            var request = new StringBuilder();
            var one = new byte[1];
            while (!request.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
            {
                if (await stream.ReadAsync(one, _stop.Token) == 0)
                    return;
                request.Append((char)one[0]);
            }

            lock (Requests)
                Requests.Add(request.ToString());
            await _answer(request.ToString(), stream, _stop.Token);
        }
        catch (Exception error) when (error is OperationCanceledException or IOException)
        {
        }
    }
}
