using System.Diagnostics;
using System.Reflection;
using Xunit.v3;

// One run at a time: each is two processes already.
[assembly: Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

namespace RealtimeKit.Soak.Tests;

/// <summary>The short form of tests/Soak, and its verdict when something is wrong. The long form is run by hand: tests/Soak/README.md.</summary>
public class SoakTests
{
    [Fact]
    public async Task Run_Faultless_Passes()
    {
        var (exitCode, output) = await RunAsync("--connections", "500", "--minutes", "0.2", "--drains", "1", "--cycles", "1", "--seed", "7");
        TestContext.Current.TestOutputHelper!.WriteLine(output);
        exitCode.Should().Be(0, output);
        output.Should().Contain("PASSED").And.Contain("**acknowledged and lost · delivered twice** | **0 · 0**").And.Contain("drains and restarts under load | 1");
    }

    [Theory]
    [InlineData("lost-message,leak,stuck", "60", "0.1", "1", new[] { "Lost:", "buffers:", "connections are open on the server" })]
    [InlineData("growth", "300", "0.02", "2", new[] { "heap:" })]
    public async Task Run_SomethingIsPlanted_Fails(string plants, string connections, string minutes, string cycles, string[] findings)
    {
        var (exitCode, output) = await RunAsync("--connections", connections, "--minutes", minutes, "--drains", "0", "--cycles", cycles, "--patience", "5", "--plant", plants);
        exitCode.Should().Be(1, output);
        output.Should().ContainAll(findings).And.Contain("FAILED");
    }

    private static async Task<(int ExitCode, string Output)> RunAsync(params string[] flags)
    {
        var soak = typeof(SoakTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(pair => pair.Key == "Soak").Value!;
        using var process = Process.Start(new ProcessStartInfo("dotnet", [soak, .. flags]) { RedirectStandardOutput = true })!;
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        bound.CancelAfter(TimeSpan.FromMinutes(4));
        try
        {
            var output = await process.StandardOutput.ReadToEndAsync(bound.Token);
            await process.WaitForExitAsync(bound.Token);
            return (process.ExitCode, output);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }
}
