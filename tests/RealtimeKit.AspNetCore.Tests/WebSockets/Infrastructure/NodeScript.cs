using System.Diagnostics;
using System.Reflection;
using System.Text.Json;

namespace RealtimeKit.AspNetCore.Tests.WebSockets;

/// <summary>A program that is an independent peer: scripts that talk through npm packages, and through Debian's python3-websockets.</summary>
internal sealed class NodeScript : IAsyncDisposable
{
    private readonly Process _process;

    private NodeScript(Process process) => _process = process;

    /// <summary>Node/client.mjs: a client.</summary>
    public static NodeScript Start(string scenario, params string[] arguments) => StartNode("client.mjs", "ws", [scenario, .. arguments]);

    /// <summary>Node/server.mjs: a server.</summary>
    public static NodeScript StartServer() => StartNode("server.mjs", "ws");

    /// <summary>Any of Node's scripts; skips the test where the package that it talks through is missing.</summary>
    public static NodeScript StartNode(string script, string package, params string[] arguments)
    {
        if (!Directory.Exists(Path.Combine(Folder, "node_modules", package)))
            Assert.Skip($"npm {package} is not installed. Run: npm ci --prefix {Folder}");
        return Start("node", Folder, [script, .. arguments]);
    }

    /// <summary>A script of another folder.</summary>
    public static NodeScript StartIn(string folder, string script, params string[] arguments) => Start("node", folder, [script, .. arguments]);

    /// <summary>Python/server.py: a server.</summary>
    public static NodeScript StartPythonServer() => StartPython("server.py");

    /// <summary>Python/client.py: a client.</summary>
    public static NodeScript StartPythonClient(params string[] arguments) => StartPython(["client.py", .. arguments]);

    private static NodeScript StartPython(params string[] arguments)
    {
        // Debian's package is for Debian's own interpreter.
        const string Python = "/usr/bin/python3";
        if (!File.Exists(Python) || !Directory.Exists("/usr/lib/python3/dist-packages/websockets"))
            Assert.Skip("python3-websockets is not installed. Run: apt-get install python3-websockets");
        return Start(Python, Path.Combine(Folder, "..", "Python"), arguments);
    }

    private static string Folder => typeof(NodeScript).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(pair => pair.Key == "NodeScripts").Value!;

    private static NodeScript Start(string program, string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo(program) { WorkingDirectory = folder, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
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

    /// <summary>Ends a script that runs until its input does, with what it has started.</summary>
    public void CloseInput()
    {
        _process.StandardInput.Close();
        _process.WaitForExit(10_000);
    }

    public ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
        return default;
    }
}
