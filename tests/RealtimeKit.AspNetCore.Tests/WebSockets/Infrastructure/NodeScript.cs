using System.Diagnostics;
using System.Reflection;
using System.Text.Json;

namespace RealtimeKit.AspNetCore.Tests.WebSockets;

/// <summary>Node/client.mjs, which talks through npm ws: an independent client.</summary>
internal sealed class NodeScript : IAsyncDisposable
{
    private readonly Process _process;

    private NodeScript(Process process) => _process = process;

    public static NodeScript Start(string scenario, params string[] arguments)
    {
        var folder = typeof(NodeScript).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(pair => pair.Key == "NodeScripts").Value!;
        if (!Directory.Exists(Path.Combine(folder, "node_modules", "ws")))
            Assert.Skip($"npm ws is not installed. Run: npm ci --prefix {folder}");
        var start = new ProcessStartInfo("node") { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (IEnumerable<string>)["client.mjs", scenario, .. arguments])
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
