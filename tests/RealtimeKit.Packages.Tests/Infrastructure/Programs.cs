using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace RealtimeKit.Packages.Tests;

/// <summary>Runs other programs to their end, or until they have said something; each is ended by its id when the test is.</summary>
internal static class Programs
{
    /// <summary>Far beyond what any test needs, in milliseconds: two cores that others use as well.</summary>
    public const int Bound = 600_000;

    public static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>Runs the .NET SDK, which must succeed.</summary>
    public static async Task<string> DotnetAsync(string folder, string[] arguments, params (string Name, string? Value)[] environment)
    {
        var (exitCode, output) = await RunAsync("dotnet", folder, arguments, environment);
        exitCode.Should().Be(0, "of: dotnet {0}\n{1}", string.Join(' ', arguments), output);
        return output;
    }

    public static async Task<(int ExitCode, string Output)> RunAsync(
        string program, string folder, string[] arguments, params (string Name, string? Value)[] environment)
    {
        using var running = Start(program, folder, arguments, environment);
        var error = running.StandardError.ReadToEndAsync(Cancelled);
        try
        {
            var output = await running.StandardOutput.ReadToEndAsync(Cancelled);
            await running.WaitForExitAsync(Cancelled);
            return (running.ExitCode, output + await error);
        }
        finally
        {
            if (!running.HasExited)
                running.Kill(entireProcessTree: true);
        }
    }

    public static Process Start(string program, string folder, string[] arguments, params (string Name, string? Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };

        // No server that outlives the build: it would hold the output open.
        foreach (var (name, value) in (ReadOnlySpan<(string, string?)>)
            [("MSBUILDDISABLENODEREUSE", "1"), ("DOTNET_CLI_USE_MSBUILD_SERVER", "0"), ("UseSharedCompilation", "false"), ("DOTNET_CLI_UI_LANGUAGE", "en"), .. environment])
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }

    public static bool Exists(string program)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, ["--version"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return true;
        }
        catch (Win32Exception)
        {
            return false;
        }
    }
}
