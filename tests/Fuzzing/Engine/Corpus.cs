namespace RealtimeKit.Fuzzing;

/// <summary>The inputs of a target: seeds and regressions in the repository, and what runs have added in a folder of their own.</summary>
internal sealed class Corpus(string sources, string work, string target)
{
    public string Seeds => Path.Combine(sources, "corpus", target);

    public string Regressions => Path.Combine(sources, "regressions", target);

    public string Added => Path.Combine(work, "corpus", target);

    public string Finds => Path.Combine(work, "finds", target);

    /// <summary>All of them in an order that depends on nothing but their names.</summary>
    public IEnumerable<(string Path, byte[] Input)> Load()
    {
        foreach (var folder in (string[])[Seeds, Regressions, Added])
        {
            if (!Directory.Exists(folder))
                continue;
            foreach (var path in Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal))
                yield return (path, File.ReadAllBytes(path));
        }
    }

    public void Add(byte[] input) => Save(Added, $"{FuzzRandom.Mix(0, input):x16}.bin", input);

    public string SaveFind(string name, byte[] input) => Save(Finds, name, input);

    public static string Save(string folder, string name, byte[] input)
    {
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, name);
        File.WriteAllBytes(path, input);
        return path;
    }
}
