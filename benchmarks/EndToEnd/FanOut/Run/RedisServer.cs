using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>A <c>redis-server</c> of our own on a free port, which keeps nothing; ended by its process id.</summary>
internal sealed class RedisServer : IAsyncDisposable
{
    private readonly Process _process;

    private RedisServer(Process process, int port)
    {
        _process = process;
        Endpoint = $"127.0.0.1:{port.ToString(CultureInfo.InvariantCulture)}";
    }

    public string Endpoint { get; }

    // taskset replaces itself by the program, so the id is the program's.
    public int ProcessId => _process.Id;

    public static async Task<RedisServer> StartAsync(int core)
    {
        var port = FreePort();
        var start = new ProcessStartInfo("taskset") { RedirectStandardOutput = true };
        foreach (var argument in new[] { "-c", $"{core}", "redis-server", "--port", $"{port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no" })
            start.ArgumentList.Add(argument);
        var process = Process.Start(start) ?? throw new BenchmarkException("redis-server did not start");
        var server = new RedisServer(process, port);
        process.OutputDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        for (var tries = 0; ; tries++)
        {
            try
            {
                using var probe = new TcpClient();
                await probe.ConnectAsync(IPAddress.Loopback, port);
                return server;
            }
            catch (SocketException) when (tries < 100 && !process.HasExited)
            {
                await Task.Delay(50);
            }
            catch (SocketException exception)
            {
                await server.DisposeAsync();
                throw new BenchmarkException("redis-server did not start (Debian: apt install redis-server)", exception);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }
        _process.Dispose();
    }

    private static int FreePort()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        return port;
    }
}
