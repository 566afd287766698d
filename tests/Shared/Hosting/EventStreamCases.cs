using System.Net;
using System.Net.ServerSentEvents;
using Microsoft.Extensions.Logging;
using RealtimeKit.ServerSentEvents;

namespace RealtimeKit.Tests;

public class EventStreamCases
{
    public static TheoryData<Wire> AllWires => EventWires.All;

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Open_NoEventYet_HeadersAndOpeningArriveAtOnce(Wire wire)
    {
        var goOn = new TaskCompletionSource();
        await using var server = await TestServerHost.StartAsync(wire, app => app.MapServerSentEvents("/sse", async (events, cancel) =>
        {
            await goOn.Task.WaitAsync(cancel);
            await events.WriteAsync("first", cancellationToken: cancel);
        }));

        using var stream = await EventStream.OpenAsync(server);
        stream.Response.StatusCode.Should().Be(HttpStatusCode.OK);
        stream.Response.Content.Headers.ContentType!.ToString().Should().Be("text/event-stream");
        stream.Response.Headers.NonValidated["Cache-Control"].Should().Equal("no-cache, no-transform");
        stream.Response.Headers.GetValues("X-Accel-Buffering").Should().Equal("no");
        stream.Response.Content.Headers.ContentEncoding.Should().BeEmpty();
        stream.Response.Content.Headers.ContentLength.Should().BeNull();
        (await stream.ReadAsync()).Should().Be(": open");
        (await stream.ReadAsync()).Should().Be("retry: 3000");

        goOn.SetResult();
        (await stream.ReadToEndAsync()).Should().Equal("data: first");
        server.Logs.Ours.Should().NotContain(record => record.Level > LogLevel.Debug);
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Open_WithoutAutoFlush_OpeningArrivesAtOnceAndTheRestAtTheEnd(Wire wire)
    {
        var goOn = new TaskCompletionSource();
        var options = new ServerSentEventEndpointOptions { Writer = new() { AutoFlush = false }, HeartbeatInterval = Timeout.InfiniteTimeSpan };
        await using var server = await TestServerHost.StartAsync(wire, app => app.MapServerSentEvents("/sse", options, async (events, cancel) =>
        {
            await goOn.Task.WaitAsync(cancel);
            await events.WriteAsync("first", cancellationToken: cancel);
            await events.WriteAsync("last", cancellationToken: cancel);
        }));
        using var stream = await EventStream.OpenedAsync(server);
        goOn.SetResult();
        (await stream.ReadToEndAsync()).Should().Equal("data: first", "data: last");
    }

    [Theory(Timeout = Until.Bound)]
    [InlineData(null, null, "data: first")]
    [InlineData("two\nlines", null, ": two\n: lines", "data: first")]
    [InlineData(null, 0, "retry: 0", "data: first")]
    [InlineData("", 1500, ": ", "retry: 1500", "data: first")]
    public async Task Open_OpeningIsConfigured_IsWhatItSays(string? comment, int? retry, params string[] blocks)
    {
        var options = new ServerSentEventEndpointOptions
        {
            OpeningComment = comment,
            Retry = retry is { } milliseconds ? TimeSpan.FromMilliseconds(milliseconds) : null,
        };
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, app =>
            app.MapServerSentEvents("/sse", options, (events, cancel) => events.WriteAsync("first", cancellationToken: cancel).AsTask()));
        using var stream = await EventStream.OpenAsync(server);
        (await stream.ReadToEndAsync()).Should().Equal(blocks);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Open_NothingToOpenWith_HeadersArriveAtOnce()
    {
        var options = new ServerSentEventEndpointOptions { OpeningComment = null, Retry = null };
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, app =>
            app.MapServerSentEvents("/sse", options, (_, cancel) => Task.Delay(Timeout.Infinite, cancel)));
        using var stream = await EventStream.OpenAsync(server);
        stream.Response.StatusCode.Should().Be(HttpStatusCode.OK);
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Map_EachKindOfHandler_ItsEventsArrive(Wire wire)
    {
        await using var server = await TestServerHost.StartAsync(wire, app =>
        {
            app.MapServerSentEvents("/text", (_, _) => Items("a\nb", "c"));
            app.MapServerSentEvents("/items", Json.Default.Tick, (_, _) => Items(new Tick(1, "ä"), new Tick(2, "\n")));
            app.MapServerSentEvents("/values", Json.Default.Tick, (_, _) => Values(new Tick(1, "ä"), new Tick(2, "\n")));
            app.MapServerSentEvents("/request", (events, request, _, cancel) =>
                events.WriteAsync($"after {request.LastEventId}", "greeting", "8", TimeSpan.FromSeconds(1), cancel).AsTask());
        });

        (await ReadAsync(server, "/text")).Should().Equal("id: 1\ndata: a\ndata: b", "id: 2\ndata: c");
        (await ReadAsync(server, "/items")).Should().Equal(
            """id: 1""" + "\n" + """data: {"Number":1,"Text":"\u00E4"}""", """id: 2""" + "\n" + """data: {"Number":2,"Text":"\n"}""");
        (await ReadAsync(server, "/values")).Should().Equal("""data: {"Number":1,"Text":"\u00E4"}""", """data: {"Number":2,"Text":"\n"}""");
        (await ReadAsync(server, "/request", ("Last-Event-ID", "7"))).Should().Equal("event: greeting\nid: 8\nretry: 1000\ndata: after 7");
    }

    [Theory(Timeout = Until.Bound)]
    [InlineData("POST")]
    [InlineData("HEAD")]
    public async Task Map_OtherMethods_AreNotAllowed(string method)
    {
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, app => app.MapServerSentEvents("/sse", (_, _) => Items("x")));
        using var request = new HttpRequestMessage(new HttpMethod(method), server.HttpUri("/sse"));
        using var stream = await EventStream.OpenAsync(server, request);
        stream.Response.StatusCode.Should().Be(HttpStatusCode.MethodNotAllowed);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Map_HandlerThrowsBeforeTheStream_AnswersAsAnyEndpointDoes()
    {
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, app =>
            app.MapServerSentEvents("/sse", IAsyncEnumerable<SseItem<string>>? (_, _) => throw new InvalidOperationException("no events here")));
        using var stream = await EventStream.OpenAsync(server);
        stream.Response.StatusCode.Should().Be(HttpStatusCode.InternalServerError);
    }

    [Theory(Timeout = Until.Bound)]
    [InlineData("a\nb", null)]
    [InlineData(null, "a\rb")]
    [InlineData(null, "a\0b")]
    public async Task Map_ItemCouldInjectAField_IsNotSent(string? eventType, string? id)
    {
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, app => app.MapServerSentEvents("/sse", async (events, cancel) =>
        {
            var write = async () => await events.WriteAsync("x", eventType, id, cancellationToken: cancel);
            await write.Should().ThrowAsync<ArgumentException>();
            await events.WriteAsync("refused", cancellationToken: cancel);
        }));
        (await ReadAsync(server, "/sse")).Should().Equal("data: refused");
    }

    private static async Task<List<string>> ReadAsync(TestServerHost server, string path, params (string Name, string Value)[] headers)
    {
        using var stream = await EventStream.OpenedAsync(server, path, headers);
        return await stream.ReadToEndAsync();
    }

    private static async IAsyncEnumerable<SseItem<T>> Items<T>(params T[] values)
    {
        var id = 0;
        foreach (var value in values)
        {
            await Task.Yield();
            yield return new SseItem<T>(value) { EventId = $"{++id}" };
        }
    }

    private static async IAsyncEnumerable<T> Values<T>(params T[] values)
    {
        foreach (var value in values)
        {
            await Task.Yield();
            yield return value;
        }
    }
}
