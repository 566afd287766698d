using System.Reflection;
using System.Text.RegularExpressions;

namespace RealtimeKit.Docs.Tests;

/// <summary>README.md and what is in docs/, and their fenced blocks.</summary>
internal static partial class Documents
{
    public static string Repository { get; } = Metadata("Repository");

    public static IReadOnlyList<string> All { get; } =
    [
        "README.md",
        .. Directory.GetFiles(Path.Combine(Repository, "docs"), "*.md").Select(path => $"docs/{Path.GetFileName(path)}").Order(StringComparer.Ordinal),
    ];

    public static IReadOnlyList<Snippet> Snippets { get; } = [.. All.SelectMany(Read)];

    public static string Metadata(string key) =>
        typeof(Documents).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(pair => pair.Key == key).Value!;

    public static string ReadText(string document) => File.ReadAllText(Path.Combine(Repository, document));

    /// <summary>The one block that a harness of this name is for.</summary>
    public static string TextOf(string name) => Snippets.Single(snippet => snippet.Name == name).Text;

    private static IEnumerable<Snippet> Read(string document)
    {
        var lines = File.ReadAllLines(Path.Combine(Repository, document));
        for (var i = 0; i < lines.Length; i++)
        {
            if (!lines[i].StartsWith("```", StringComparison.Ordinal))
                continue;
            var start = i + 1;
            for (i = start; lines[i] != "```"; i++)
            {
            }

            var marker = start >= 2 ? Marker().Match(lines[start - 2]) : Match.Empty;
            yield return new Snippet(
                document, start + 1, lines[start - 1][3..].Trim(), marker.Groups["verb"].Value, marker.Groups["name"].Value, string.Join('\n', lines[start..i]) + "\n");
        }
    }

    [GeneratedRegex("^<!-- (?<verb>run|compile|same-as|tested-by|shown): (?<name>.+) -->$")]
    private static partial Regex Marker();
}
