using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using RealtimeKit.Tests;

namespace RealtimeKit.Soak;

/// <summary>A process of this run: the server, or its Redis. Ended by its id.</summary>
internal sealed class Child : IAsyncDisposable
{
    private readonly Process _process;

    private Child(Process process) => _process = process;

    public static async Task<Child> StartServerAsync(int port, string? redis, string? plant)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(Child).Assembly.Location, "server", $"{port}", redis ?? "-", plant ?? "-"]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        var child = new Child(Process.Start(start)!);
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (await child._process.StandardOutput.ReadLineAsync(bound.Token) is { } line)
        {
            if (line == "READY")
            {
                _ = child._process.StandardOutput.ReadToEndAsync(CancellationToken.None);
                return child;
            }
        }

        await child.DisposeAsync();
        throw new InvalidOperationException("The server did not start.");
    }

    /// <summary>A redis-server that has on disk what it has acknowledged.</summary>
    public static async Task<(Child Process, string Configuration)> StartRedisAsync()
    {
        var port = LoopbackPorts.Next();
        var folder = Directory.CreateTempSubdirectory("soak-redis-");
        var start = new ProcessStartInfo("redis-server",
            ["--port", $"{port}", "--bind", "127.0.0.1", "--dir", folder.FullName, "--save", "", "--appendonly", "yes", "--appendfsync", "always", "--loglevel", "warning"])
        { RedirectStandardOutput = true };
        var child = new Child(Process.Start(start)!);
        _ = child._process.StandardOutput.ReadToEndAsync();
        for (var tries = 0; ; tries++)
        {
            try
            {
                using var probe = new TcpClient();
                await probe.ConnectAsync(IPAddress.Loopback, port);
                return (child, string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}"));
            }
            catch (SocketException) when (tries < 200)
            {
                await Task.Delay(50);
            }
        }
    }

    /// <summary>SIGTERM, as a supervisor says it. False: it did not end within the bound.</summary>
    public async Task<bool> TerminateAsync(TimeSpan bound)
    {
        using var kill = Process.Start("/bin/sh", ["-c", string.Create(CultureInfo.InvariantCulture, $"kill -TERM {_process.Id}")]);
        await kill.WaitForExitAsync();
        using var deadline = new CancellationTokenSource(bound);
        try
        {
            await _process.WaitForExitAsync(deadline.Token);
            return _process.ExitCode == 0;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    public static async Task<ServerStats> StatsAsync(HttpClient http, Wire wire, string path) =>
        (await http.GetFromJsonAsync(wire.Uri(path), ServerStatsJson.Default.ServerStats))!;

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }
}
