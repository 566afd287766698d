using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace RealtimeKit.ServerSentEvents.Tests;

/// <summary>Runs the sample as its users do, in a process of its own.</summary>
public class SseTailTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("")]
    [InlineData("--chunk 1")]
    [InlineData("--chunk 7")]
    public async Task StandardInput_AnyBytes_AgreesWithTheStandardsText(string options)
    {
        // One process for many streams: an unfinished line and event between them is ended by CR LF CR LF.
        var bytes = new List<byte>();
        for (var seed = 0; seed < 300; seed++)
            bytes.AddRange([.. RandomStreams.Create(seed), .. "\r\n\r\n"u8]);
        byte[] stream = [.. bytes];

        var (exitCode, lines, _) = await RunAsync($"- --all {options}", stream);

        exitCode.Should().Be(0);
        var expected = ReferenceParser.Parse(stream).Items.Select(Show).ToList();
        lines.Select(line => Show(JsonDocument.Parse(line).RootElement)).Should().Equal(expected);
    }

    [Fact]
    public async Task StandardInput_WithoutAll_PrintsEventsOnly()
    {
        var (exitCode, lines, _) = await RunAsync("-", Encoding.UTF8.GetBytes(": c\nretry: 5\nid: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\ndata: unfinished"));

        exitCode.Should().Be(0);
        lines.Should().Equal("""{"event":"message","data":"a","id":"1"}""", """{"event":"message","data":"b","id":"1"}""", """{"event":"message","data":"c"}""");
    }

    [Fact]
    public async Task StandardInput_EventComplete_IsPrintedBeforeTheEndOfInput()
    {
        using var process = Start("- --all");
        await process.StandardInput.BaseStream.WriteAsync(Encoding.UTF8.GetBytes("data: 1\r\n\r"), Cancel);
        await process.StandardInput.BaseStream.FlushAsync(Cancel);

        var line = await process.StandardOutput.ReadLineAsync(Cancel).AsTask().WaitAsync(TimeSpan.FromSeconds(60), Cancel);

        line.Should().Be("""{"event":"message","data":"1"}""");
        process.StandardInput.Close();
        await process.WaitForExitAsync(Cancel);
        process.ExitCode.Should().Be(0);
    }

    [Theory]
    [InlineData("data: ", 17 * 1024 * 1024, "MaxLineLength")]
    [InlineData("data: 0123456789012345678901234567890123456789\n", 420_000 * 47, "MaxEventLength")]
    public async Task StandardInput_PastALimit_Exits3WithItsName(string text, int length, string expected)
    {
        var stream = Encoding.UTF8.GetBytes(text.EndsWith('\n') ? string.Concat(Enumerable.Repeat(text, length / text.Length)) : text + new string('x', length));

        var (exitCode, _, error) = await RunAsync("-", stream);

        exitCode.Should().Be(3);
        error.Should().Contain(expected);
    }

    [Fact]
    public async Task Url_StreamBreaks_ReconnectsAndExits0At204()
    {
        await using var server = new ScriptedServer(
            ScriptedServer.Events(": hi\nretry: 10\nid: 1\nevent: tick\ndata: a\n\n"),
            ScriptedServer.Events("data: b\n\n"),
            ScriptedServer.Answer("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"));

        var (exitCode, lines, _) = await RunAsync($"{server.Uri} --all", []);

        exitCode.Should().Be(0);
        lines.Should().Equal(
            """{"comment":"hi"}""", """{"retry":10}""", """{"event":"tick","data":"a","id":"1"}""", """{"event":"message","data":"b","id":"1"}""");
        server.Requests[1].Should().Contain("Last-Event-ID: 1");
    }

    [Fact]
    public async Task Url_PermanentError_Exits2()
    {
        await using var server = new ScriptedServer(ScriptedServer.Answer("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));

        var (exitCode, lines, error) = await RunAsync(server.Uri.ToString(), []);

        exitCode.Should().Be(2);
        lines.Should().BeEmpty();
        error.Should().Contain("404").And.NotContain("secret");
    }

    [Theory]
    [InlineData("")]
    [InlineData("- --chunk 0")]
    [InlineData("ftp://127.0.0.1/")]
    public async Task Arguments_Wrong_Exits2(string arguments) => (await RunAsync(arguments, [])).ExitCode.Should().Be(2);

    private static async Task<(int ExitCode, List<string> Lines, string Error)> RunAsync(string arguments, byte[] input)
    {
        using var process = Start(arguments);
        var output = process.StandardOutput.ReadToEndAsync(Cancel);
        var error = process.StandardError.ReadToEndAsync(Cancel);
        try
        {
            await process.StandardInput.BaseStream.WriteAsync(input, Cancel);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It may exit before it has read everything.
        }

        await process.WaitForExitAsync(Cancel).WaitAsync(TimeSpan.FromSeconds(120), Cancel);
        return (process.ExitCode, [.. (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries)], await error);
    }

    private static Process Start(string arguments) =>
        Process.Start(new ProcessStartInfo("dotnet", $"\"{Path.Combine(AppContext.BaseDirectory, "SseTail.dll")}\" {arguments}")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
        })!;

    private static string Show(ParsedItem item) => item.Kind switch
    {
        "comment" => $"comment {item.Data}",
        "retry" => $"retry {(item.Data.TrimStart('0') is { Length: > 0 } digits ? digits : "0")}",
        _ => $"event {item.EventType}|{item.Data}|{item.LastEventId}",
    };

    private static string Show(JsonElement line)
    {
        if (line.TryGetProperty("comment", out var comment))
            return $"comment {comment.GetString()}";
        if (line.TryGetProperty("retry", out var retry))
            return $"retry {retry.GetRawText()}";
        return $"event {line.GetProperty("event").GetString()}|{line.GetProperty("data").GetString()}|{(line.TryGetProperty("id", out var id) ? id.GetString() : "")}";
    }
}
