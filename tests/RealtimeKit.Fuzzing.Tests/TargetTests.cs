using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace RealtimeKit.Fuzzing.Tests;

/// <summary>
/// The short run: what is known, and as many new inputs as take a few seconds, always the same. By the fuzzer's own program, whose pool
/// has one thread: in this process two would read and receive at once, and the order of that is another each time.
/// </summary>
public sealed partial class TargetTests : IDisposable
{
    private static readonly string Sources = new Settings([]).Sources;

    private readonly string _work = Directory.CreateTempSubdirectory("fuzzing-").FullName;

    public static TheoryData<string> Targets => [.. AllTargets.List.Select(static target => target.Name)];

    [Theory]
    [MemberData(nameof(Targets))]
    public async Task Run_CorpusAndRegressions_NothingFound(string name)
    {
        new Corpus(Sources, _work, name).Load().Should().NotBeEmpty("every target has seeds in tests/Fuzzing/corpus");
        var (exitCode, output) = await RunAsync("replay", name);
        output.Should().EndWith("nothing found\n");
        exitCode.Should().Be(0);
    }

    [Theory]
    [MemberData(nameof(Targets))]
    public async Task Run_NewInputsOfAFixedSeed_NothingFound(string name)
    {
        var executions = name switch { "deflate" => 1000, "fragments" or "frames-bcl" or "webpubsub" or "sse-write" => 4000, _ => 15_000 };
        var (exitCode, output) = await RunAsync("piece", name, "--seed", "1", "--cpu-minutes", "10", "--executions", executions.ToString(CultureInfo.InvariantCulture));
        output.Should().NotContain("FIND").And.EndWith("finds 0\n");
        exitCode.Should().Be(0, "of:\n{0}", output);
        int.Parse(Executions().Match(output).Groups[1].ValueSpan, CultureInfo.InvariantCulture).Should().BeGreaterThanOrEqualTo(executions);
    }

    public void Dispose() => Directory.Delete(_work, recursive: true);

    [GeneratedRegex(@" (\d+) executions")]
    private static partial Regex Executions();

    private async Task<(int ExitCode, string Output)> RunAsync(string command, string name, params string[] options)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "RealtimeKit.Fuzzing.dll");
        using var process = Process.Start(
            new ProcessStartInfo("dotnet", [program, command, name, "--sources", Sources, "--work", _work, .. options]) { RedirectStandardOutput = true })!;
        try
        {
            var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            return (process.ExitCode, output.ReplaceLineEndings("\n"));
        }
        finally
        {
            if (!process.HasExited)
                process.Kill();
        }
    }
}
