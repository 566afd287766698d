using RealtimeKit.Packages.Tests;

[assembly: AssemblyFixture(typeof(PackedPackages))]

namespace RealtimeKit.Packages.Tests;

/// <summary>What <c>dotnet pack RealtimeKit.sln -c Release</c> makes: packed once, into a folder that is a feed.</summary>
public sealed class PackedPackages : IAsyncLifetime
{
    private readonly Dictionary<string, Package> _packages = [];

    /// <summary>The feed.</summary>
    public string Feed { get; } = Path.Combine(Repository.Root, "artifacts", "packages");

    public string Version => _packages.Values.First().Version;

    internal Package this[string id] => _packages[id];

    internal IReadOnlyCollection<Package> All => _packages.Values;

    public async ValueTask InitializeAsync()
    {
        if (Directory.Exists(Feed))
            Directory.Delete(Feed, recursive: true);
        var output = await Programs.DotnetAsync(Repository.Root, ["pack", "RealtimeKit.sln", "-c", "Release", "-v", "quiet", "-nologo", "-o", Feed]);
        output.Should().BeEmpty("packing has nothing to warn of");
        foreach (var file in Directory.GetFiles(Feed))
        {
            var package = new Package(file);
            _packages.Add(package.Id, package);
        }
    }

    public ValueTask DisposeAsync()
    {
        foreach (var package in _packages.Values)
            package.Dispose();
        return default;
    }
}
