using System.Reflection;

namespace RealtimeKit.Packages.Tests;

/// <summary>Where the sources are.</summary>
internal static class Repository
{
    public static string Root { get; } = typeof(Repository).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(pair => pair.Key == "Repository").Value!;

    public static bool HasHistory => Path.Exists(Path.Combine(Root, ".git"));

    public static string[] PackageIds { get; } =
        [.. Directory.GetDirectories(Path.Combine(Root, "src"), "RealtimeKit.*").Select(folder => Path.GetFileName(folder)).Order(StringComparer.Ordinal)];

    /// <summary>What an archive of the sources has, as far as packing needs it: no history, and nothing that was built.</summary>
    public static void CopySourcesTo(string folder)
    {
        foreach (var file in Directory.GetFiles(Root))
        {
            if (Path.GetFileName(file) != ".git")
                Copy(file);
        }

        foreach (var file in Directory.EnumerateFiles(Path.Combine(Root, "src"), "*", SearchOption.AllDirectories))
        {
            if (!file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal))
                Copy(file);
        }

        void Copy(string file)
        {
            var target = Path.Combine(folder, Path.GetRelativePath(Root, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }

    public static void CopyFolder(string source, string target)
    {
        foreach (var file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(target, Path.GetRelativePath(source, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }
}
