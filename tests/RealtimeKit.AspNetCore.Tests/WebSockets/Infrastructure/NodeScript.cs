using System.Diagnostics;
using System.Reflection;
using System.Text.Json;

namespace RealtimeKit.AspNetCore.Tests.WebSockets;

/// <summary>A script of the Node folder: an independent client, which prints what it sees as JSON, a value a line.</summary>
internal sealed class NodeScript : IAsyncDisposable
{
    private readonly Process _process;

    private NodeScript(Process process) => _process = process;

    /// <summary>Node/client.mjs, which talks through npm ws.</summary>
    public static NodeScript Start(string scenario, params string[] arguments) => Start("client.mjs", "ws", [scenario, .. arguments]);

    /// <summary>Any of the scripts; skips the test where the package that it talks through is missing.</summary>
    public static NodeScript Start(string script, string package, string[] arguments)
    {
        var folder = typeof(NodeScript).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(pair => pair.Key == "NodeScripts").Value!;
        if (!Directory.Exists(Path.Combine(folder, "node_modules", package)))
            Assert.Skip($"npm {package} is not installed. Run: npm ci --prefix {folder}");
        var start = new ProcessStartInfo("node") { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (IEnumerable<string>)[script, .. arguments])
            start.ArgumentList.Add(argument);
        try
        {
            return new NodeScript(Process.Start(start)!);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("node is not installed: Node.js 18 or later plays an independent client here.");
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
