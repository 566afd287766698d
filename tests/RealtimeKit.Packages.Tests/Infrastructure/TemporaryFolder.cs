namespace RealtimeKit.Packages.Tests;

/// <summary>A folder outside the repository, whose settings therefore do not reach into it.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Name { get; } = Directory.CreateTempSubdirectory("realtimekit-").FullName;

    public string this[string name] => Path.Combine(Name, name);

    public void Dispose() => Directory.Delete(Name, recursive: true);
}
