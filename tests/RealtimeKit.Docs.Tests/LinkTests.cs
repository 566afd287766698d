using System.Text.RegularExpressions;

namespace RealtimeKit.Docs.Tests;

/// <summary>Links within the repository lead somewhere, to the heading.</summary>
public partial class LinkTests
{
    public static TheoryData<string> Pages => [.. Documents.All, "benchmarks/README.md"];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Links_WithinTheRepository_LeadSomewhere(string page)
    {
        var broken = Link().Matches(Documents.ReadText(page)).Select(match => match.Groups[1].Value)
            .Where(link => !link.Contains("://", StringComparison.Ordinal) && !Leads(page, link));
        broken.Should().BeEmpty();
    }

    private static bool Leads(string page, string link)
    {
        var (path, anchor) = link.Split('#') is [var file, var heading] ? (file, heading) : (link, "");
        var target = path.Length == 0
            ? Path.Combine(Documents.Repository, page)
            : Path.GetFullPath(Path.Combine(Documents.Repository, Path.GetDirectoryName(page)!, path));
        if (anchor.Length == 0)
            return File.Exists(target) || Directory.Exists(target);
        return File.Exists(target) && File.ReadLines(target).Any(line => line.StartsWith('#') && Anchor(line) == anchor);
    }

    /// <summary>The anchor that GitHub gives a heading: lower case, punctuation gone, spaces as hyphens.</summary>
    private static string Anchor(string heading) =>
        Punctuation().Replace(heading.TrimStart('#').Trim().ToLowerInvariant(), "").Replace(' ', '-');

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex Punctuation();
}
