using System.Diagnostics;

namespace RealtimeKit.Docs.Tests;

/// <summary>A program of the repository that a command of the documentation runs, as it has been built.</summary>
internal sealed class Command : IAsyncDisposable
{
    private readonly Process _process;

    private Command(Process process) => _process = process;

    public static Command Start(string project, string assembly, params string[] arguments)
    {
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        var path = Path.Combine(Documents.Repository, project, "bin", configuration, "net10.0", $"{assembly}.dll");
        var process = Process.Start(new ProcessStartInfo("dotnet", [path, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        return new Command(process);
    }

    /// <summary>The rest of the line that it prints next, from the first place where this stands.</summary>
    public async Task<string> ReadAsync(string beginning)
    {
        while (await _process.StandardOutput.ReadLineAsync(Until.Cancelled) is { } line)
            if (line.IndexOf(beginning, StringComparison.Ordinal) is >= 0 and var start)
                return line[start..].Split([' ', ','])[0];
        throw new InvalidOperationException($"It ended: {await _process.StandardError.ReadToEndAsync(Until.Cancelled)}");
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
