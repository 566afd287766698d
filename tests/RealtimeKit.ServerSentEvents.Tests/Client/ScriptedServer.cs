using System.Net;
using System.Net.Sockets;
using System.Text;

namespace RealtimeKit.ServerSentEvents.Tests;

/// <summary>A real TCP server on loopback whose n-th connection is answered by the n-th script, in raw bytes.</summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    public const string EventStream = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<Connection, Task>[] _scripts;
    private readonly List<string> _requests = [];
    private readonly Task _run;

    public ScriptedServer(params Func<Connection, Task>[] scripts)
    {
        _scripts = scripts;
        _listener.Start();
        _run = RunAsync();
    }

    public Uri Uri => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/events?token=secret-in-url");

    /// <summary>Each request's head and body, in Latin-1 so that bytes show.</summary>
    public IReadOnlyList<string> Requests
    {
        get
        {
            lock (_requests)
                return [.. _requests];
        }
    }

    public static Func<Connection, Task> Answer(string text) => connection => connection.SendAsync(text);

    public static Func<Connection, Task> Events(string events) => Answer(EventStream + events);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _run;
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        var running = new List<Task>();
        try
        {
            for (var index = 0; ; index++)
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                if (index < _scripts.Length)
                    running.Add(ServeAsync(client, _scripts[index]));
                else
                    client.Dispose();
            }
        }
        catch (Exception) when (_stop.IsCancellationRequested)
        {
        }

        await Task.WhenAll(running);
    }

    private async Task ServeAsync(TcpClient client, Func<Connection, Task> script)
    {
        using (client)
        {
            try
            {
                var connection = new Connection(client, _stop.Token);
                var request = await connection.ReadRequestAsync();
                lock (_requests)
                    _requests.Add(request);
                await script(connection);
            }
            catch (Exception error) when (error is IOException or SocketException or OperationCanceledException)
            {
            }
        }
    }

    public sealed class Connection(TcpClient client, CancellationToken stopped)
    {
        public async Task SendAsync(string text) => await client.GetStream().WriteAsync(Encoding.UTF8.GetBytes(text), stopped);

        /// <summary>Holds the connection open until the test ends.</summary>
        public Task StallAsync() => Task.Delay(Timeout.Infinite, stopped);

        /// <summary>Closes with a TCP reset.</summary>
        public void Reset()
        {
            client.Client.LingerState = new LingerOption(true, 0);
            client.Client.Close();
        }

        public async Task<string> ReadRequestAsync()
        {
            var buffer = new byte[16 * 1024];
            var text = "";
            while (true)
            {
                var read = await client.GetStream().ReadAsync(buffer, stopped);
                text += Encoding.Latin1.GetString(buffer, 0, read);
                var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
                if (read == 0 || (end >= 0 && text.Length - end - 4 >= BodyLength(text)))
                    return text;
            }
        }

        private static int BodyLength(string head)
        {
            const string Name = "content-length: ";
            var start = head.IndexOf(Name, StringComparison.OrdinalIgnoreCase);
            return start < 0 ? 0 : int.Parse(head[(start + Name.Length)..head.IndexOf("\r\n", start, StringComparison.Ordinal)], null as IFormatProvider);
        }
    }
}
