using System.Text.RegularExpressions;
using RealtimeKit.Tests;

namespace RealtimeKit.Packages.Tests;

/// <summary>
/// The projects of tests/PackageConsumer, copied to a folder outside the repository, restored from the packed files and built once. Other
/// packages come from the machine's own sources; none of ours can, nor from a cache.
/// </summary>
public sealed partial class Consumers(PackedPackages packages) : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();

    public static string[] Names { get; } =
        [.. Directory.GetDirectories(Path.Combine(Repository.Root, "tests", "PackageConsumer")).Select(folder => Path.GetFileName(folder)).Order(StringComparer.Ordinal)];

    /// <summary>What the build said.</summary>
    public string Output { get; private set; } = "";

    /// <summary>The global packages of this run alone.</summary>
    public static string GlobalPackages { get; } = Path.Combine(Repository.Root, "artifacts", "package-consumer");

    /// <summary>Where the HttpListener's program serves: a free port instead of the one that the readme shows.</summary>
    public int ListenerPort { get; } = LoopbackPorts.Next();

    public async ValueTask InitializeAsync()
    {
        Repository.CopyFolder(Path.Combine(Repository.Root, "tests", "PackageConsumer"), _folder.Name);
        var program = _folder["HttpListener/Program.cs"];
        await File.WriteAllTextAsync(program, (await File.ReadAllTextAsync(program)).Replace("5080", $"{ListenerPort}", StringComparison.Ordinal));
        await WriteNuGetConfigAsync(packages.Feed, _folder.Name, GlobalPackages);
        await File.WriteAllTextAsync(_folder["Consumers.slnx"], $"<Solution>{string.Concat(Names.Select(name => $"<Project Path=\"{name}/{name}.csproj\" />"))}</Solution>");
        Output = await Programs.DotnetAsync(
            _folder.Name, ["build", "Consumers.slnx", "-c", "Release", "-v", "quiet", "-nologo"], ("RealtimeKitVersion", packages.Version), ("NUGET_PACKAGES", GlobalPackages));
    }

    /// <summary>The path of a program.</summary>
    public string this[string name] => _folder[$"{name}/bin/Release/net10.0/{name}.dll"];

    /// <summary>Our packages come from the feed and from nowhere else. What an earlier run has restored of them is deleted.</summary>
    internal static async Task WriteNuGetConfigAsync(string feed, string folder, string globalPackages)
    {
        if (Directory.Exists(globalPackages))
        {
            foreach (var stale in Directory.GetDirectories(globalPackages, "realtimekit.*"))
                Directory.Delete(stale, recursive: true);
        }

        var others = EnabledSource().Matches(await Programs.DotnetAsync(folder, ["nuget", "list", "source"])).Select(match => match.Groups[1].Value).Where(name => name != "packed");
        await File.WriteAllTextAsync(Path.Combine(folder, "nuget.config"), $"""
            <configuration>
              <packageSources>
                <add key="packed" value="{feed}" />
              </packageSources>
              <packageSourceMapping>
                <packageSource key="packed"><package pattern="RealtimeKit.*" /></packageSource>
                {string.Concat(others.Select(name => $"<packageSource key=\"{name}\"><package pattern=\"*\" /></packageSource>"))}
              </packageSourceMapping>
            </configuration>
            """);
    }

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return default;
    }

    [GeneratedRegex(@"^\s*\d+\.\s+(.+?) \[Enabled\]", RegexOptions.Multiline)]
    private static partial Regex EnabledSource();
}
