using System.Collections.Immutable;
using System.IO.Compression;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Xml.Linq;

namespace RealtimeKit.Packages.Tests;

/// <summary>One packed file.</summary>
internal sealed class Package : IDisposable
{
    private readonly ZipArchive _archive;
    private readonly XElement _metadata;

    public Package(string file)
    {
        _archive = ZipFile.OpenRead(file);
        using var nuspec = _archive.Entries.Single(entry => entry.FullName.EndsWith(".nuspec", StringComparison.Ordinal)).Open();
        _metadata = XDocument.Load(nuspec).Root!.Elements().Single();
        Length = new FileInfo(file).Length;
    }

    public string Id => this["id"]!;

    public string Version => this["version"]!;

    public long Length { get; }

    /// <summary>The files, other than those of the container.</summary>
    public IEnumerable<string> Files => _archive.Entries.Select(entry => entry.FullName)
        .Where(name => name != "[Content_Types].xml" && !name.StartsWith("_rels/", StringComparison.Ordinal) && !name.StartsWith("package/", StringComparison.Ordinal) && !name.EndsWith(".nuspec", StringComparison.Ordinal));

    /// <summary>A value of the manifest; null where it has none.</summary>
    public string? this[string name] => Element(name)?.Value;

    public XElement? Element(string name) => _metadata.Element(_metadata.Name.Namespace + name);

    public IEnumerable<XElement> Elements(string name) => _metadata.Descendants(_metadata.Name.Namespace + name);

    public byte[] Read(string name)
    {
        using var stream = _archive.GetEntry(name)!.Open();
        var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }

    /// <summary>What the assembly was compiled from, by path: the hash of each document.</summary>
    public Dictionary<string, string> ReadDocuments()
    {
        using var assembly = new PEReader(ImmutableArray.Create(Read($"lib/net10.0/{Id}.dll")));
        var entry = assembly.ReadDebugDirectory().Single(entry => entry.Type == DebugDirectoryEntryType.EmbeddedPortablePdb);
        using var symbols = assembly.ReadEmbeddedPortablePdbDebugDirectoryData(entry);
        var reader = symbols.GetMetadataReader();
        return reader.Documents.Select(reader.GetDocument).ToDictionary(document => reader.GetString(document.Name), document => Convert.ToHexString(reader.GetBlobBytes(document.Hash)));
    }

    public void Dispose() => _archive.Dispose();
}
