using System.Net;
using System.Net.ServerSentEvents;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.ApplicationParts;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using RealtimeKit.AspNetCore.Tests.WebSockets;

namespace RealtimeKit.AspNetCore.Tests.ServerSentEvents;

public class RealtimeResultsTests
{
    public static TheoryData<Wire> AllWires => EventWires.All;

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task ServerSentEvents_EachKind_IsAStream(Wire wire)
    {
        await using var server = await TestServerHost.StartAsync(wire, app =>
        {
            app.MapGet("/writer", () => RealtimeResults.ServerSentEvents((events, cancel) => events.WriteAsync("x", cancellationToken: cancel).AsTask()));
            app.MapGet("/text", () => RealtimeResults.ServerSentEvents(After(0)));
            app.MapGet("/items", () => RealtimeResults.ServerSentEvents(Ticks(), Json.Default.Tick));
            app.MapGet("/values", () => RealtimeResults.ServerSentEvents(TickValues(), Json.Default.Tick));
        });
        (await ReadAsync(server, "/writer")).Should().Equal("data: x");
        (await ReadAsync(server, "/text")).Should().Equal("id: 1\ndata: one", "id: 2\ndata: two");
        (await ReadAsync(server, "/items")).Should().Equal("event: tick\ndata: {\"Number\":1,\"Text\":\"a\"}");
        (await ReadAsync(server, "/values")).Should().Equal("data: {\"Number\":1,\"Text\":\"a\"}");
        server.Logs.All.Should().NotContain(record => record.Level > LogLevel.Information);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task ServerSentEvents_CursorIsBound_ResumesEndsOrIsRefused()
    {
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, app => app.MapGet("/sse", IResult (ServerSentEventRequest request) =>
            request.LastEventId == "2" ? Results.NoContent() : RealtimeResults.ServerSentEvents(After(request.LastEventId == "1" ? 1 : 0))));
        (await ReadAsync(server, "/sse")).Should().HaveCount(2);
        (await ReadAsync(server, "/sse", ("Last-Event-ID", "1"))).Should().Equal("id: 2\ndata: two");
        using var ended = await EventStream.OpenAsync(server, "/sse", ("Last-Event-ID", "2"));
        ended.Response.StatusCode.Should().Be(HttpStatusCode.NoContent);
        using var refused = await EventStream.OpenAsync(server, "/sse?lastEventId=a%00");
        refused.Response.StatusCode.Should().Be(HttpStatusCode.BadRequest);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task ServerSentEvents_OnPost_StreamsTheAnswer()
    {
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, app => app.MapPost("/chat", async (HttpRequest request) =>
        {
            using var reader = new StreamReader(request.Body);
            var question = await reader.ReadToEndAsync(Until.Cancelled);
            return RealtimeResults.ServerSentEvents((events, cancel) => events.WriteAsync($"you said {question}", cancellationToken: cancel).AsTask());
        }));
        using var request = new HttpRequestMessage(HttpMethod.Post, server.HttpUri("/chat")) { Content = new StringContent("hello") };
        using var stream = await EventStream.OpenAsync(server, request);
        (await stream.ReadToEndAsync()).Should().EndWith("data: you said hello");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task ServerSentEvents_OnHead_HasTheHeadersAndEnds()
    {
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, app =>
            app.MapMethods("/sse", ["HEAD"], () => RealtimeResults.ServerSentEvents((_, cancel) => Task.Delay(Timeout.Infinite, cancel))));
        using var request = new HttpRequestMessage(HttpMethod.Head, server.HttpUri("/sse"));
        using var stream = await EventStream.OpenAsync(server, request);
        stream.Response.Content.Headers.ContentType!.MediaType.Should().Be("text/event-stream");
        (await stream.ReadAsync()).Should().BeNull();
    }

    [Fact(Timeout = Until.Bound)]
    public async Task ServerSentEvents_FromAController_StreamsAndDrains()
    {
        await using var server = await TestServerHost.StartAsync(
            Wire.Pipes,
            app => app.MapControllers(),
            builder => builder.Services.AddControllers().ConfigureApplicationPartManager(parts => parts.ApplicationParts.Add(new AssemblyPart(typeof(EventsController).Assembly))));
        using var stream = await EventStream.OpenedAsync(server, "/controller/events");
        (await stream.ReadAsync()).Should().Be("data: from /controller/events");
        await server.App.StopAsync(Until.Cancelled);
        (await stream.ReadToEndAsync()).Should().ContainSingle().Which.Should().StartWith("retry: ");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task ServerSentEvents_InAHandler_DescribesItself()
    {
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, app =>
            app.MapGet("/sse", () => RealtimeResults.ServerSentEvents((_, cancel) => Task.Delay(Timeout.Infinite, cancel))));
        var endpoint = server.App.Services.GetRequiredService<EndpointDataSource>().Endpoints.Single();
        endpoint.Metadata.OfType<IProducesResponseTypeMetadata>().Should().ContainSingle(produces => produces.StatusCode == 200)
            .Which.ContentTypes.Should().Equal("text/event-stream");
    }

    private static async Task<List<string>> ReadAsync(TestServerHost server, string path, params (string Name, string Value)[] headers)
    {
        using var stream = await EventStream.OpenedAsync(server, path, headers);
        return await stream.ReadToEndAsync();
    }

    private static async IAsyncEnumerable<SseItem<string>> After(int id)
    {
        await Task.Yield();
        if (id < 1)
            yield return new SseItem<string>("one") { EventId = "1" };
        yield return new SseItem<string>("two") { EventId = "2" };
    }

    private static async IAsyncEnumerable<SseItem<Tick>> Ticks()
    {
        await Task.Yield();
        yield return new SseItem<Tick>(new Tick(1, "a"), "tick");
    }

    private static async IAsyncEnumerable<Tick> TickValues()
    {
        await Task.Yield();
        yield return new Tick(1, "a");
    }
}

[ApiController]
public sealed class EventsController : ControllerBase
{
    [HttpGet("/controller/events")]
    public IResult Get()
    {
        var path = Request.Path;
        return RealtimeResults.ServerSentEvents(async (events, cancel) =>
        {
            await events.WriteAsync($"from {path}", cancellationToken: cancel);
            await Task.Delay(Timeout.Infinite, cancel);
        });
    }
}
