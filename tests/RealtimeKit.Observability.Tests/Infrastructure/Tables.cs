using System.Net.Http;
using System.Reflection;
using System.Text.RegularExpressions;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Observability.Tests;

/// <summary>The tables of docs/observability.md.</summary>
internal sealed partial class Tables
{
    private readonly string[][] _rows;

    private Tables(string text) => _rows = [.. text.Split('\n')
        .Where(line => line.StartsWith("| ", StringComparison.Ordinal))
        .Select(line => line.Trim('|').Split('|').Select(cell => cell.Trim()).ToArray())];

    /// <summary>What is measured.</summary>
    public InstrumentRow[] Instruments => [.. _rows
        .Where(row => row.Length == 5 && Names(row[0]) is [var name] && name.StartsWith("realtimekit.", StringComparison.Ordinal))
        .Select(row => new InstrumentRow(Names(row[0])[0], row[1], Names(row[2])[0], [.. List(row[3]).Select(FullName)]))];

    /// <summary>What is traced.</summary>
    public ActivityRow[] Activities => [.. _rows
        .Where(row => row.Length == 5 && Names(row[1]) is [var source] && source.StartsWith("RealtimeKit.", StringComparison.Ordinal))
        .Select(row => new ActivityRow(Names(row[0])[0], Names(row[1])[0], row[2], Names(row[3])))];

    /// <summary>The values of each tag, by its full name, but for those of <c>error.type</c>.</summary>
    public Dictionary<string, string[]> Values => _rows
        .Where(row => row.Length == 3 && Names(row[1]).Length == 1 && Names(row[0]).Length == 0 && row[0] != "error.type")
        .ToDictionary(row => Names(row[1])[0], row => Expand(row[2]).Distinct().ToArray());

    public static async Task<Tables> ReadAsync()
    {
        var docs = typeof(Tables).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(pair => pair.Key == "Docs").Value!;
        return new Tables(await File.ReadAllTextAsync(Path.Combine(docs, "observability.md"), TestContext.Current.CancellationToken));
    }

    /// <summary>Whether the value of <c>error.type</c> is one of an instrument's or activity's own.</summary>
    public bool IsErrorOf(string name, string value)
    {
        var text = _rows.Single(row => row.Length == 2 && Names(row[0]).Contains(name))[1];
        return Names(text).Any(word => word switch
        {
            nameof(WebSocketProtocolError) => Enum.TryParse<WebSocketProtocolError>(value, out _),
            nameof(WebSocketHandshakeError) => Enum.TryParse<WebSocketHandshakeError>(value, out _),
            nameof(HttpRequestError) => Enum.TryParse<HttpRequestError>(value, out _),
            _ => word == value,
        }) || (text.Contains("a status", StringComparison.Ordinal) && Status().IsMatch(value));
    }

    private string FullName(string tag) => Names(_rows.Single(row => row.Length == 3 && row[0] == tag)[1])[0];

    private static string[] List(string cell) => cell.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static string[] Names(string cell) => [.. Code().Matches(cell).Select(match => match.Groups[1].Value)];

    private static IEnumerable<string> Expand(string cell)
    {
        foreach (Match range in Range().Matches(cell))
        {
            for (var code = int.Parse(range.Groups[1].Value, null); code <= int.Parse(range.Groups[2].Value, null); code++)
                yield return $"{code}";
        }

        foreach (var name in Names(cell))
            yield return name;
    }

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();

    [GeneratedRegex("`([0-9]+)` to `([0-9]+)`")]
    private static partial Regex Range();

    [GeneratedRegex("^[1-5][0-9][0-9]$")]
    private static partial Regex Status();
}

/// <summary>A row of the table of instruments.</summary>
internal sealed record InstrumentRow(string Name, string Kind, string Unit, string[] Tags);

/// <summary>A row of the table of activities.</summary>
internal sealed record ActivityRow(string Name, string Source, string Kind, string[] Tags);
