using System.Security.Cryptography;

namespace RealtimeKit.Packages.Tests;

public class VersionTests
{
    [Fact(Timeout = Programs.Bound)]
    public async Task Pack_SourceArchivesInTwoFolders_MakesTheSameFilesInSilence()
    {
        using var folder = new TemporaryFolder();
        string[] archives = [folder["a"], folder["elsewhere/and/deeper"]];
        foreach (var archive in archives)
        {
            Repository.CopySourcesTo(archive);
            // Only what is in src is packed, and the solution names all else too.
            await Programs.DotnetAsync(archive, ["new", "sln", "--format", "slnx", "-n", "Sources"]);
            await Programs.DotnetAsync(archive, ["sln", "Sources.slnx", "add", .. Repository.PackageIds.Select(id => $"src/{id}/{id}.csproj")]);
            var output = await Programs.DotnetAsync(archive, ["pack", "Sources.slnx", "-c", "Release", "-v", "quiet", "-nologo", "-o", Path.Combine(archive, "feed")]);
            output.Should().BeEmpty("nobody is told that there is no history");
        }

        foreach (var id in Repository.PackageIds)
        {
            using var first = new Package(Path.Combine(archives[0], "feed", $"{id}.0.0.0-alpha.0.nupkg"));
            using var second = new Package(Path.Combine(archives[1], "feed", $"{id}.0.0.0-alpha.0.nupkg"));
            first.Element("repository").Should().BeNull();
            first.Files.Should().Equal(second.Files);
            // The SDK's generator of [LoggerMessage] puts several classes in any order (it keeps them in a set of objects): that file alone may differ.
            var (documents, others) = (first.ReadDocuments(), second.ReadDocuments());
            documents.Keys.Should().BeEquivalentTo(others.Keys);
            var differing = documents.Where(document => others[document.Key] != document.Value).Select(document => Path.GetFileName(document.Key)).ToArray();
            differing.Should().BeSubsetOf(["LoggerMessage.g.cs"]);
            foreach (var file in first.Files.Where(file => differing.Length == 0 || !file.EndsWith(".dll", StringComparison.Ordinal)))
                Hash(first, file).Should().Be(Hash(second, file), "{0} of {1} does not depend on where it was built", file, id);
        }
    }

    [Fact(Timeout = Programs.Bound)]
    public async Task Version_ByTagOrNone_IsSaneAndSilent()
    {
        Assert.SkipUnless(Programs.Exists("git"), "git is missing");
        using var folder = new TemporaryFolder();
        Repository.CopySourcesTo(folder.Name);
        const string Project = "src/RealtimeKit.WebSockets/RealtimeKit.WebSockets.csproj";
        await Programs.DotnetAsync(folder.Name, ["restore", Project, "-v", "quiet"]);

        (await VersionAsync()).Should().Be("0.0.0-alpha.0", "there is no repository");
        await GitAsync("init", "--quiet");
        (await VersionAsync()).Should().Be("0.0.0-alpha.0", "there is no commit");
        await GitAsync("commit", "--quiet", "--allow-empty", "-m", "First");
        (await VersionAsync()).Should().Be("0.0.0-alpha.0", "there is no tag");
        await GitAsync("tag", "v1.2.3");
        (await VersionAsync()).Should().Be("1.2.3", "there is a tag");
        (await VersionAsync(("PATH", PathWithoutGit(folder["bin"])))).Should().Be("0.0.0-alpha.0", "there is no git");
        await GitAsync("commit", "--quiet", "--allow-empty", "-m", "Second");
        (await VersionAsync()).Should().Be("1.2.4-alpha.0.1", "there is a commit after the tag");

        async Task<string> VersionAsync(params (string, string?)[] environment) => (await Programs.DotnetAsync(
            folder.Name, ["msbuild", Project, "-t:MinVer", "-getProperty:Version", "-nologo", "-warnaserror", "-p:Configuration=Release"], environment)).Trim();

        async Task GitAsync(params string[] arguments)
        {
            var (exitCode, output) = await Programs.RunAsync("git", folder.Name, ["-c", "user.name=Test", "-c", "user.email=test@example.com", .. arguments]);
            exitCode.Should().Be(0, output);
        }
    }

    // Where git is, so is much else: the little that the SDK needs is linked to a folder of its own.
    private static string PathWithoutGit(string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var name in (ReadOnlySpan<string>)["dotnet", "sh"])
        {
            var file = Environment.GetEnvironmentVariable("PATH")!.Split(Path.PathSeparator).Select(path => Path.Combine(path, name)).First(File.Exists);
            File.CreateSymbolicLink(Path.Combine(folder, name), File.ResolveLinkTarget(file, returnFinalTarget: true)?.FullName ?? file);
        }

        return folder;
    }

    private static string Hash(Package package, string file) => Convert.ToHexString(SHA256.HashData(package.Read(file)));
}
