using System.Diagnostics;
using System.Reflection;
using System.Text.Json;

namespace RealtimeKit.AspNetCore.Tests.WebSockets;

/// <summary>A program that is an independent peer: scripts that talk through npm ws, and through Debian's python3-websockets.</summary>
internal sealed class NodeScript : IAsyncDisposable
{
    private readonly Process _process;

    private NodeScript(Process process) => _process = process;

    /// <summary>Node/client.mjs: a client.</summary>
    public static NodeScript Start(string scenario, params string[] arguments) => StartNode(["client.mjs", scenario, .. arguments]);

    /// <summary>Node/server.mjs: a server.</summary>
    public static NodeScript StartServer() => StartNode("server.mjs");

    /// <summary>Python/server.py: a server.</summary>
    public static NodeScript StartPythonServer()
    {
        // Debian's package is for Debian's own interpreter.
        const string Python = "/usr/bin/python3";
        if (!File.Exists(Python) || !Directory.Exists("/usr/lib/python3/dist-packages/websockets"))
            Assert.Skip("python3-websockets is not installed. Run: apt-get install python3-websockets");
        return Start(Python, Path.Combine(Folder, "..", "Python"), "server.py");
    }

    private static string Folder => typeof(NodeScript).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(pair => pair.Key == "NodeScripts").Value!;

    private static NodeScript StartNode(params string[] arguments)
    {
        if (!Directory.Exists(Path.Combine(Folder, "node_modules", "ws")))
            Assert.Skip($"npm ws is not installed. Run: npm ci --prefix {Folder}");
        return Start("node", Folder, arguments);
    }

    private static NodeScript Start(string program, string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo(program) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        try
        {
            return new NodeScript(Process.Start(start)!);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip($"{program} is not installed: it plays an independent peer here.");
            throw;
        }
    }

    /// <summary>The next value that the script prints.</summary>
    public async Task<JsonElement> ReadAsync()
    {
        var line = await _process.StandardOutput.ReadLineAsync(Until.Cancelled);
        if (line is null)
            Assert.Fail(await _process.StandardError.ReadToEndAsync(Until.Cancelled));
        return JsonDocument.Parse(line!).RootElement;
    }

    /// <summary>Waits for the script's end, which must be a good one.</summary>
    public async Task ExitAsync()
    {
        await _process.WaitForExitAsync(Until.Cancelled);
        _process.ExitCode.Should().Be(0, await _process.StandardError.ReadToEndAsync(Until.Cancelled));
    }

    public ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
        return default;
    }
}
