using System.Net;
using System.Net.ServerSentEvents;

namespace RealtimeKit.Tests;

public class CursorCases
{
    private const int MaxLength = 4096;

    public static TheoryData<Wire> AllWires => EventWires.All;

    [Theory(Timeout = Until.Bound)]
    [InlineData("/sse", null, "null")]
    [InlineData("/sse", "", "null")]
    [InlineData("/sse", "41", "41")]
    [InlineData("/sse", "märz ✓", "märz ✓")]
    [InlineData("/sse?lastEventId=40", null, "40")]
    [InlineData("/sse?lastEventId=", null, "null")]
    [InlineData("/sse?LASTEVENTID=a%20b%2Bc", null, "a b+c")]
    [InlineData("/sse?lastEventId=40", "41", "41")]
    [InlineData("/sse?other=1", null, "null")]
    public async Task LastEventId_HeaderOrQuery_IsGivenToTheHandler(string path, string? header, string expected)
    {
        await using var server = await StartAsync(Wire.Pipes);
        await using var client = await RawRequest.SendAsync(server.Port, path, header is null ? [] : [$"Last-Event-ID: {header}"]);
        (await client.ReadUntilAsync("data: ")).Should().StartWith("HTTP/1.1 200 ");
        (await client.ReadUntilAsync("\n")).Should().Be($"{expected}\n");
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task LastEventId_LongestAllowed_IsGivenToTheHandler(Wire wire)
    {
        await using var server = await StartAsync(wire);
        var id = new string('x', MaxLength);
        using var stream = await EventStream.OpenedAsync(server, "/sse", ("Last-Event-ID", id));
        (await stream.ReadAsync()).Should().Be($"data: {id}");
    }

    [Theory(Timeout = Until.Bound)]
    [InlineData("/sse", "Last-Event-ID: {long}")]
    [InlineData("/sse?lastEventId={long}")]
    [InlineData("/sse?lastEventId=a%00b")]
    [InlineData("/sse?lastEventId=a%0Ab")]
    [InlineData("/sse?lastEventId=a%0Db")]
    [InlineData("/sse?lastEventId=1&lastEventId=2")]
    public async Task LastEventId_MalformedOrTooLong_IsRefusedWith400(string path, params string[] headers)
    {
        await using var server = await StartAsync(Wire.Pipes);
        var tooLong = new string('x', MaxLength + 1);
        await using var client = await RawRequest.SendAsync(server.Port, path.Replace("{long}", tooLong), [.. headers.Select(header => header.Replace("{long}", tooLong))]);
        (await client.ReadUntilAsync("\r\n")).Should().StartWith("HTTP/1.1 400 ");
        server.Logs.Ours.Should().ContainSingle(record => record.Event.Id == 20 && record.Event.Name == "CursorRefused");
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Open_ReturnsNull_IsRefusedForGoodWith204(Wire wire)
    {
        await using var server = await TestServerHost.StartAsync(wire, app => app.MapServerSentEvents("/sse", IAsyncEnumerable<SseItem<string>>? (_, _) => null));
        using var stream = await EventStream.OpenAsync(server);
        stream.Response.StatusCode.Should().Be(HttpStatusCode.NoContent);
        (await stream.ReadToEndAsync()).Should().BeEmpty();
        server.Logs.Ours.Should().ContainSingle(record => record.Event.Name == "StreamRefused");
    }

    [Theory(Timeout = Until.Bound)]
    [InlineData("1", HttpStatusCode.OK)]
    [InlineData("2", HttpStatusCode.NoContent)]
    [InlineData("3", HttpStatusCode.Gone)]
    public async Task Accept_DecidesBeforeTheStream_WithTheStatusItSays(string cursor, HttpStatusCode expected)
    {
        var options = TestServerHost.RefusingEvents(id => id switch
        {
            "1" => null,
            "2" => 200,   // no status of its own
            _ => 410,
        });
        var calls = 0;
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, app => app.MapServerSentEvents("/sse", options, (events, cancel) =>
        {
            calls++;
            return events.WriteAsync("x", cancellationToken: cancel).AsTask();
        }));
        using var stream = await EventStream.OpenAsync(server, "/sse", ("Last-Event-ID", cursor));
        stream.Response.StatusCode.Should().Be(expected);
        await stream.ReadToEndAsync();
        calls.Should().Be(expected == HttpStatusCode.OK ? 1 : 0);
    }

    private static Task<TestServerHost> StartAsync(Wire wire) => TestServerHost.StartAsync(wire, app =>
        app.MapServerSentEvents("/sse", (events, request, _, cancel) => events.WriteAsync(request.LastEventId ?? "null", cancellationToken: cancel).AsTask()));
}
