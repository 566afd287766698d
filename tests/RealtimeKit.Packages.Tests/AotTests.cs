using System.Runtime.InteropServices;

namespace RealtimeKit.Packages.Tests;

public class AotTests(PackedPackages packages)
{
    [Fact(Timeout = Programs.Bound)]
    public async Task Publish_ProgramOfAllPackages_HasNoWarningAndRuns()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "this test links as one does on Linux");
        var linker = Programs.Exists("clang") ? "clang" : "gcc";
        Assert.SkipUnless(Programs.Exists(linker), "NativeAOT needs clang or gcc to link, and both are missing");
        using var folder = new TemporaryFolder();
        Repository.CopyFolder(Path.Combine(Repository.Root, "tests", "AotSmoke"), folder["AotSmoke"]);
        var globalPackages = Path.Combine(Repository.Root, "artifacts", "package-aot");
        await Consumers.WriteNuGetConfigAsync(packages.Feed, folder.Name, globalPackages);
        (string, string?)[] environment = [("RealtimeKitVersion", packages.Version), ("NUGET_PACKAGES", globalPackages)];
        string[] runtime = ["-r", RuntimeInformation.RuntimeIdentifier.StartsWith("linux-", StringComparison.Ordinal) ? RuntimeInformation.RuntimeIdentifier : $"linux-{RuntimeInformation.OSArchitecture.ToString().ToLowerInvariant()}"];

        var (restored, said) = await Programs.RunAsync("dotnet", folder["AotSmoke"], ["restore", "-v", "quiet", .. runtime], environment);
        Assert.SkipWhen(restored != 0 && said.Contains("ILCompiler", StringComparison.Ordinal), $"the package sources have no NativeAOT compiler for this SDK: {said}");
        restored.Should().Be(0, said);

        var output = await Programs.DotnetAsync(
            folder["AotSmoke"],
            ["publish", "--no-restore", "-c", "Release", .. runtime, "-v", "quiet", "-nologo", "-clp:NoSummary", "-warnaserror", $"-p:CppCompilerAndLinker={linker}", "-o", folder["out"]],
            environment);
        output.Should().BeEmpty("neither the compiler nor the trimmer has anything to warn of");

        var (exitCode, lines) = await Programs.RunAsync(folder["out/AotSmoke"], folder.Name, []);
        exitCode.Should().Be(0, lines);
        var parts = lines.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        parts.Skip(1).Should().Equal("websocket", "events", "topics", "httplistener", "redis", "done");
        TestContext.Current.TestOutputHelper!.WriteLine($"{new FileInfo(folder["out/AotSmoke"]).Length:N0} bytes, linked by {linker}, {parts[0]}");
    }
}
