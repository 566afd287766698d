using System.Diagnostics;
using System.Text.Json;

namespace RealtimeKit.AspNetCore.Tests.WebSockets;

/// <summary>A script that plays the peer through an independent implementation, and prints what it saw, one JSON value a line.</summary>
internal sealed class PeerScript : IAsyncDisposable
{
    private readonly Process _process;

    private PeerScript(Process process) => _process = process;

    public static PeerScript Start(string program, string folder, string missing, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        try
        {
            return new PeerScript(Process.Start(start)!);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip(missing);
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
