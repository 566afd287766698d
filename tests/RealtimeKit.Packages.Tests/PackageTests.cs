using System.Collections.Immutable;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text;
using System.Xml.Linq;

namespace RealtimeKit.Packages.Tests;

public class PackageTests(PackedPackages packages)
{
    // Portable PDB: the custom debug information that holds a document's source.
    private static readonly Guid EmbeddedSource = new("0E8A571B-6926-466E-B4AD-8AB04611F5FE");

    // With the versions of Directory.Packages.props; a package of ours in exactly its own, because they share internals.
    private static readonly Dictionary<string, string[]> Dependencies = new()
    {
        ["RealtimeKit.WebSockets"] = [],
        ["RealtimeKit.ServerSentEvents"] = [],
        ["RealtimeKit.Topics"] =
        [
            "RealtimeKit.ServerSentEvents", "RealtimeKit.WebSockets",
            "Microsoft.Extensions.DependencyInjection.Abstractions", "Microsoft.Extensions.Logging.Abstractions", "Microsoft.Extensions.Options",
        ],
        ["RealtimeKit.AspNetCore"] = ["RealtimeKit.ServerSentEvents", "RealtimeKit.Topics", "RealtimeKit.WebSockets"],
        ["RealtimeKit.HttpListener"] =
            ["RealtimeKit.ServerSentEvents", "RealtimeKit.Topics", "RealtimeKit.WebSockets", "Microsoft.Extensions.Logging.Abstractions", "System.Threading.RateLimiting"],
        ["RealtimeKit.Redis"] = ["RealtimeKit.Topics", "Microsoft.Extensions.Diagnostics.HealthChecks.Abstractions", "StackExchange.Redis"],
    };

    public static TheoryData<string> Ids => [.. Repository.PackageIds];

    [Fact]
    public void Pack_Solution_MakesSixPackagesOfOneVersion()
    {
        packages.All.Select(package => package.Id).Should().BeEquivalentTo(Repository.PackageIds).And.HaveCount(6);
        packages.All.Select(package => package.Version).Distinct().Should().ContainSingle().Which.Should().MatchRegex(@"^\d+\.\d+\.\d+(-[0-9a-z.]+)?$");
        foreach (var package in packages.All)
            TestContext.Current.TestOutputHelper!.WriteLine($"{package.Id} {package.Version}: {package.Length:N0} bytes");
    }

    [Theory, MemberData(nameof(Ids))]
    public void Manifest_EachPackage_SaysWhatItIs(string id)
    {
        var package = packages[id];
        package["license"].Should().Be("MIT");
        package["description"].Should().NotBeNullOrEmpty();
        package["authors"].Should().Be("RealtimeKit contributors");
        package["tags"]!.Split(' ').Should().OnlyHaveUniqueItems().And.HaveCountGreaterThan(6);
        package["readme"].Should().Be("README.md");
        package["icon"].Should().Be("icon.png");
        package["projectUrl"].Should().BeNull("there is no public address yet");
        package.Element("repository")?.Attribute("url").Should().BeNull("there is no public address yet");
        if (Repository.HasHistory)
            package.Element("repository")!.Attribute("commit")!.Value.Should().MatchRegex("^[0-9a-f]{40}$");
    }

    [Theory, MemberData(nameof(Ids))]
    public void Dependencies_EachPackage_AreTheFew(string id)
    {
        var package = packages[id];
        package.Elements("dependencies").Elements().Select(group => group.Attribute("targetFramework")!.Value).Should().Equal("net10.0");
        package.Elements("dependency").Select(dependency => (dependency.Attribute("id")!.Value, dependency.Attribute("version")!.Value))
            .Should().BeEquivalentTo(Dependencies[id].Select(name => (name, VersionOf(name))));
        package.Elements("frameworkReference").Select(reference => reference.Attribute("name")!.Value)
            .Should().Equal(id == "RealtimeKit.AspNetCore" ? ["Microsoft.AspNetCore.App"] : []);
    }

    [Theory, MemberData(nameof(Ids))]
    public void Files_EachPackage_AreTheAssemblyItsDocumentationAndPapers(string id)
    {
        var package = packages[id];
        package.Files.Should().BeEquivalentTo($"lib/net10.0/{id}.dll", $"lib/net10.0/{id}.xml", "README.md", "LICENSE", "icon.png");
        Encoding.UTF8.GetString(package.Read("README.md")).Should().StartWith($"# {id}\n");
        Encoding.UTF8.GetString(package.Read("LICENSE")).Should().StartWith("MIT License");
        package.Read("icon.png").AsSpan(1, 3).SequenceEqual("PNG"u8).Should().BeTrue();
        XDocument.Parse(Encoding.UTF8.GetString(package.Read($"lib/net10.0/{id}.xml"))).Descendants("member").Should().NotBeEmpty();
    }

    [Theory, MemberData(nameof(Ids))]
    public void Assembly_EachPackage_HasSymbolsAndSourcesInside(string id)
    {
        using var assembly = new PEReader(ImmutableArray.Create(packages[id].Read($"lib/net10.0/{id}.dll")));
        var debug = assembly.ReadDebugDirectory();
        debug.Should().Contain(entry => entry.Type == DebugDirectoryEntryType.Reproducible);
        using var symbols = assembly.ReadEmbeddedPortablePdbDebugDirectoryData(debug.Single(entry => entry.Type == DebugDirectoryEntryType.EmbeddedPortablePdb));
        var reader = symbols.GetMetadataReader();
        foreach (var handle in reader.Documents)
        {
            var name = reader.GetString(reader.GetDocument(handle).Name);
            name.Should().StartWith("/_", "paths say nothing of the machine that built it");
            reader.GetCustomDebugInformation(handle).Select(info => reader.GetGuid(reader.GetCustomDebugInformation(info).Kind))
                .Should().Contain(EmbeddedSource, "{0} is inside", name);
        }

        reader.Documents.Should().NotBeEmpty();
    }

    [Theory, MemberData(nameof(Ids))]
    public void Readme_ProgramsInIt_AreThoseThatRun(string id)
    {
        var readme = Encoding.UTF8.GetString(packages[id].Read("README.md"));
        var programs = Directory.GetFiles(Path.Combine(Repository.Root, "tests", "PackageConsumer"), "Program.cs", SearchOption.AllDirectories).Select(File.ReadAllText).ToArray();
        var shown = readme.Split("```csharp\n")[1..].Select(text => text[..text.IndexOf("```", StringComparison.Ordinal)]).ToArray();
        shown.Should().NotBeEmpty().And.OnlyContain(program => programs.Contains(program));
    }

    private string VersionOf(string name) => name.StartsWith("RealtimeKit.", StringComparison.Ordinal)
        ? $"[{packages.Version}]"
        : XDocument.Load(Path.Combine(Repository.Root, "Directory.Packages.props")).Descendants("PackageVersion").Single(version => version.Attribute("Include")!.Value == name).Attribute("Version")!.Value;
}
