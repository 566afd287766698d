using System.Text.RegularExpressions;

namespace RealtimeKit.Security.Tests;

/// <summary>SECURITY.md has each attack class that there is a test for, and names tests that there are; test.sh checks that they ran.</summary>
public partial class SecurityPolicyTests
{
    private static readonly string[] Attacks =
    [
        "Tiny-fragment flood", "Zero-length continuation flood", "Decompression bomb", "Bad extension parameters crash", "Out-of-bounds write in deflate path",
        "Frame-length overflow", "Endless loop on one frame", "Handshake header abuse", ".NET / SignalR DoS", "Backplane disclosure", "Replay across sessions",
        "Request smuggling in host", "HTTP/2 stream floods under RFC 8441", "Ping flood / unbounded pong queue", "Slow reader", "Slow handshake / silent connect",
        "CSWSH (CWE-1385)", "SSE injection", "SSE parser memory", "Message-count declared by peer", "GraphQL-WS auth bypass / floods",
        "Unbounded concurrency per message", "CRIME/BREACH on compressed secrets", "Token leak in logs/exceptions", "uWebSockets",
    ];

    [Fact]
    public void Table_EveryAttack_HasADefenceAndATestOrSaysWhyNot()
    {
        var rows = File.ReadLines(Path.Combine(Repository.Root, "SECURITY.md")).Where(line => line.StartsWith('|')).Skip(2)
            .Select(line => line.Trim('|').Split(" | ").Select(cell => cell.Trim()).ToArray()).ToList();
        rows.Select(row => row[0]).Take(Attacks.Length).Should().Equal(Attacks);
        foreach (var row in rows)
        {
            row.Should().HaveCount(3);
            var names = TestName().Matches(row[2]).Select(match => match.Groups[1].Value).ToList();
            if (names.Count == 0)
                row[1].Should().StartWith("no test", row[0]);
            foreach (var name in names)
                IsTest(name).Should().BeTrue("{0} is to be a test class or method", name);
        }
    }

    private static bool IsTest(string name)
    {
        var assembly = typeof(SecurityPolicyTests).Assembly;
        var (type, method) = (name[..name.LastIndexOf('.')], name[(name.LastIndexOf('.') + 1)..]);
        if (name.StartsWith("RealtimeKit.Security.Tests.", StringComparison.Ordinal))
            return assembly.GetType(name) is not null || assembly.GetType(type)?.GetMethod(method)?.IsDefined(typeof(FactAttribute), inherit: true) == true;

        // Another project's: that it is one, and that it ran, is seen in that project's report.
        return HasSource(method) || HasSource(type[(type.LastIndexOf('.') + 1)..]);
    }

    private static bool HasSource(string type) =>
        Directory.EnumerateFiles(Path.Combine(Repository.Root, "tests"), $"{type}.cs", SearchOption.AllDirectories).Any();

    [GeneratedRegex("`(RealtimeKit[^`]+)`")]
    private static partial Regex TestName();
}
