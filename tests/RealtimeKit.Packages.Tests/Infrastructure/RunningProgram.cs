using System.Diagnostics;

namespace RealtimeKit.Packages.Tests;

/// <summary>A program that serves, or that waits for what a server says.</summary>
internal sealed class RunningProgram : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Task<string> _error;

    private RunningProgram(Process process)
    {
        _process = process;
        _error = process.StandardError.ReadToEndAsync();
    }

    public static RunningProgram Start(string assembly, params string[] arguments) =>
        new(Programs.Start("dotnet", Path.GetDirectoryName(assembly)!, [assembly, .. arguments], ("DOTNET_ENVIRONMENT", "Production"), ("ASPNETCORE_URLS", null)));

    /// <summary>The next line; null where it has ended.</summary>
    public async Task<string?> ReadLineAsync() => await _process.StandardOutput.ReadLineAsync(Programs.Cancelled);

    /// <summary>What stands after a text on the line that has it.</summary>
    public async Task<string> ReadAfterAsync(string text)
    {
        var lines = new List<string>();
        while (await ReadLineAsync() is { } line)
        {
            lines.Add(line);
            if (line.IndexOf(text, StringComparison.Ordinal) is >= 0 and var start)
                return line[(start + text.Length)..];
        }

        throw new InvalidOperationException($"The program has ended without saying '{text}': {string.Join('\n', lines)}\n{await _error}");
    }

    public async Task<int> ExitCodeAsync()
    {
        await _process.WaitForExitAsync(Programs.Cancelled);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
