using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.WebSockets;
using System.Reflection;

namespace RealtimeKit.Tests;

/// <summary>samples/Echo, run as its users run it.</summary>
internal sealed class EchoProcess : IAsyncDisposable
{
    private readonly Process _process;

    private EchoProcess(Process process) => _process = process;

    public Uri HttpUri { get; private set; } = null!;

    public int Id => _process.Id;

    public static Task<EchoProcess> StartAsync(params string[] flags) => StartSampleAsync("EchoAssembly", flags);

    /// <summary>Starts any sample that serves as samples/Echo does.</summary>
    public static async Task<EchoProcess> StartSampleAsync(string assembly, params string[] flags)
    {
        var echo = new EchoProcess(Launch(assembly, ["--port", "0", .. flags]));
        var line = await echo._process.StandardOutput.ReadLineAsync(Until.Cancelled);
        line.Should().StartWith("Listening on ");
        echo.HttpUri = new Uri(line!["Listening on ".Length..]);
        return echo;
    }

    /// <summary>Runs it to its end.</summary>
    public static Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] flags) => RunSampleAsync("EchoAssembly", flags);

    /// <summary>Runs any sample to its end.</summary>
    public static async Task<(int ExitCode, string Output, string Error)> RunSampleAsync(string assembly, params string[] flags)
    {
        await using var echo = new EchoProcess(Launch(assembly, flags));
        var output = echo._process.StandardOutput.ReadToEndAsync(Until.Cancelled);
        var error = echo._process.StandardError.ReadToEndAsync(Until.Cancelled);
        await echo._process.WaitForExitAsync(Until.Cancelled);
        return (echo._process.ExitCode, await output, await error);
    }

    public async Task<ClientWebSocket> ConnectAsync(Version? version = null, params string[] subProtocols)
    {
        var client = new ClientWebSocket();
        client.Options.HttpVersion = version ?? HttpVersion.Version11;
        client.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        client.Options.SetRequestHeader("Origin", "https://anywhere.example");
        foreach (var name in subProtocols)
            client.Options.AddSubProtocol(name);
        var uri = new UriBuilder(HttpUri) { Scheme = HttpUri.Scheme == "https" ? "wss" : "ws", Path = "/ws" }.Uri;
        using var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate?.Subject == "CN=localhost";   // made for this run
        await client.ConnectAsync(uri, new HttpMessageInvoker(handler, disposeHandler: false), Until.Cancelled);
        return client;
    }

    /// <summary>The next line that it prints.</summary>
    public async Task<string> ReadLineAsync() => await _process.StandardOutput.ReadLineAsync(Until.Cancelled) ?? throw new EndOfStreamException();

    /// <summary>Asks it to stop, as a supervisor does.</summary>
    public void Terminate()
    {
        using var kill = Process.Start("/bin/sh", ["-c", $"kill -TERM {_process.Id.ToString(CultureInfo.InvariantCulture)}"]);
        kill.WaitForExit();
    }

    public async Task<int> ExitCodeAsync()
    {
        await _process.WaitForExitAsync(Until.Cancelled);
        return _process.ExitCode;
    }

    public ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
        return default;
    }

    private static Process Launch(string name, IEnumerable<string> flags)
    {
        var assembly = typeof(EchoProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(pair => pair.Key == name).Value!;
        return Process.Start(new ProcessStartInfo("dotnet", [assembly, .. flags]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
    }
}
