using System.Security.Cryptography;
using System.Text.Json;

namespace RealtimeKit.Showcase.Tests;

/// <summary>The front-end libraries in the repository are those of the lock file, and nothing else.</summary>
public class VendorTests
{
    private static readonly string Vendor = Path.Combine(Site.Path("Showcase"), "vendor");
    private static readonly string Vendored = Path.Combine(Site.Path("Showcase"), "wwwroot", "vendor");

    [Fact]
    public void Manifest_OfWhatIsVendored_NamesTheVersionsOfTheLock()
    {
        var locked = Read(Path.Combine(Vendor, "package-lock.json")).GetProperty("packages");
        var manifest = Read(Path.Combine(Vendored, "manifest.json"));
        manifest.GetProperty("bundler").GetString().Should().Be($"esbuild {VersionOf("esbuild")}");
        var licences = File.ReadAllText(Path.Combine(Vendored, "LICENSES.txt"));
        var files = new List<string> { "manifest.json", "LICENSES.txt" };
        foreach (var file in manifest.GetProperty("files").EnumerateArray())
        {
            var name = file.GetProperty("file").GetString()!;
            files.Add(name);
            Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(Vendored, name)))).Should().Be(file.GetProperty("sha256").GetString(), name);
            file.GetProperty("packages").EnumerateObject().Should().NotBeEmpty();
            foreach (var package in file.GetProperty("packages").EnumerateObject())
            {
                package.Value.GetString().Should().Be(VersionOf(package.Name), $"{package.Name} in {name}");
                licences.Should().Contain($"\n{package.Name} {VersionOf(package.Name)} (MIT)\n");
            }
        }

        Directory.GetFiles(Vendored).Select(path => Path.GetFileName(path)!).Should().BeEquivalentTo(files);

        string? VersionOf(string package) => locked.GetProperty($"node_modules/{package}").GetProperty("version").GetString();
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Vendor_BuiltAgain_GivesTheSameFiles()
    {
        if (!Directory.Exists(Path.Combine(Vendor, "node_modules", "esbuild")))
            Assert.Skip($"npm esbuild is not installed. Run: npm ci --prefix {Vendor}");
        var again = Directory.CreateTempSubdirectory("realtimekit-vendor-");
        try
        {
            await using var build = NodeScript.StartIn(Vendor, "vendor.mjs", again.FullName);
            await build.ExitAsync();
            foreach (var file in Directory.GetFiles(Vendored))
                (await File.ReadAllBytesAsync(Path.Combine(again.FullName, Path.GetFileName(file)), Until.Cancelled)).Should().Equal(await File.ReadAllBytesAsync(file, Until.Cancelled), file);
        }
        finally
        {
            again.Delete(recursive: true);
        }
    }

    private static JsonElement Read(string path) => JsonDocument.Parse(File.ReadAllBytes(path)).RootElement;
}
