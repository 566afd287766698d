using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using RealtimeKit.Tests;

namespace RealtimeKit.Redis.Tests;

/// <summary>
/// A redis-server of a test's own: on a free port of the loopback, with its data in a folder of its own, and each write on disk before it is
/// acknowledged (<c>appendfsync always</c>). It is stopped, killed and paused by its process id.
/// </summary>
public sealed class RedisServer : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private string[] _options;
    private Process? _process;

    private RedisServer(int port, string folder, string[] options)
    {
        Port = port;
        Folder = folder;
        _options = options;
    }

    public int Port { get; }

    public string Folder { get; }

    private bool KeepsData { get; init; }

    /// <summary>Waits for longer than a machine under load holds up a server that writes to its disk each time.</summary>
    public string ConnectionString => $"127.0.0.1:{Port},asyncTimeout=20000,connectTimeout=5000";

    /// <summary>Times out soon, for tests that pause the server: it must be noticed within it.</summary>
    public string ImpatientConnectionString => $"127.0.0.1:{Port},asyncTimeout=3000,connectTimeout=2000";

    public static async Task<RedisServer> StartAsync(params string[] options)
    {
        var server = new RedisServer(LoopbackPorts.Next(), Directory.CreateTempSubdirectory("redis-").FullName, options);
        try
        {
            await server.StartProcessAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts it as a primary, on whatever it has; it must not be running.</summary>
    public Task PromoteAsync()
    {
        _options = [];
        return StartProcessAsync();
    }

    /// <summary>Another server on this one's data, which must not be running. Disposing it leaves the data.</summary>
    public async Task<RedisServer> StartElsewhereAsync()
    {
        var server = new RedisServer(LoopbackPorts.Next(), Folder, _options) { KeepsData = true };
        await server.StartProcessAsync();
        return server;
    }

    public async Task StartProcessAsync()
    {
        var start = new ProcessStartInfo("redis-server") { WorkingDirectory = Folder, RedirectStandardOutput = true, RedirectStandardError = true };
        string[] arguments =
        [
            "--port", Port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--dir", Folder, "--save", "", "--appendonly", "yes",
            "--appendfsync", "always", "--loglevel", "warning", "--enable-debug-command", "local", .. _options,
        ];
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        try
        {
            _process = Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("redis-server is not installed. Run: apt-get install redis-server");
        }

        // A full pipe would stop the server.
        _ = _process!.StandardOutput.ReadToEndAsync();
        _ = _process.StandardError.ReadToEndAsync();
        await Eventually.TrueAsync(async () =>
        {
            try
            {
                return await ExecuteAsync("PING") == "+PONG";
            }
            catch (Exception exception) when (exception is SocketException or IOException)
            {
                _process.HasExited.Should().BeFalse("redis-server must start");
                return false;
            }
        });
    }

    /// <summary>Says an inline command on a connection of its own, and gives the first line of the answer.</summary>
    public async Task<string?> ExecuteAsync(string command)
    {
        using var deadline = new CancellationTokenSource(Patience);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, Port, deadline.Token);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.UTF8.GetBytes(command + "\r\n"), deadline.Token);
        using var reader = new StreamReader(stream);
        return await reader.ReadLineAsync(deadline.Token);
    }

    /// <summary>Waits until so many nodes listen to a channel.</summary>
    public Task ListenersAsync(string channel, int count) => Eventually.TrueAsync(
        async () => await ExecuteAsync($"EVAL \"return redis.call('PUBSUB','SHARDNUMSUB','{channel}')[2]\" 0") == $":{count}");

    /// <summary>SIGKILL: nothing more is written.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
    }

    public Task PauseAsync() => SignalAsync("-STOP");

    public Task ContinueAsync() => SignalAsync("-CONT");

    /// <summary>Copies what is on disk.</summary>
    public string CopyData()
    {
        var copy = Directory.CreateTempSubdirectory("redis-copy-").FullName;
        CopyFolder(Folder, copy);
        return copy;
    }

    /// <summary>Puts a copy back; the server must not be running.</summary>
    public void RestoreData(string copy)
    {
        Directory.Delete(Folder, recursive: true);
        CopyFolder(copy, Folder);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            await ContinueAsync();
            await KillAsync();
        }

        _process?.Dispose();
        if (!KeepsData)
            Directory.Delete(Folder, recursive: true);
    }

    private static void CopyFolder(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var folder in Directory.GetDirectories(from, "*", SearchOption.AllDirectories))
            Directory.CreateDirectory(folder.Replace(from, to, StringComparison.Ordinal));
        foreach (var file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
            File.Copy(file, file.Replace(from, to, StringComparison.Ordinal), overwrite: true);
    }

    private async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [signal, _process!.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }
}
