using System.Net;

namespace RealtimeKit.Tests;

public class EventStreamOriginCases
{
    private const string Page = "https://page.example";

    public static TheoryData<Wire> AllWires => EventWires.All;

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Origin_OfAnotherSite_IsRefusedBeforeAnythingRuns(Wire wire)
    {
        var calls = 0;
        var options = TestServerHost.RefusingEvents(_ =>
        {
            calls++;
            return null;
        });
        await using var server = await StartAsync(wire, options);
        using var stream = await EventStream.OpenAsync(server, "/sse", ("Origin", Page));
        stream.Response.StatusCode.Should().Be(HttpStatusCode.Forbidden);
        stream.Response.Headers.Contains("Access-Control-Allow-Origin").Should().BeFalse();
        calls.Should().Be(0);
        server.Logs.Ours.Should().ContainSingle(record => record.Event.Name == "OriginRefused").Which.Message.Should().Contain(Page).And.StartWith("Event stream");
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Origin_OfThisSite_IsAllowed(Wire wire)
    {
        await using var server = await StartAsync(wire, new ServerSentEventEndpointOptions());
        using var stream = await EventStream.OpenedAsync(server, "/sse", ("Origin", server.HttpUri("/").GetLeftPart(UriPartial.Authority)));
        stream.Response.Headers.Contains("Access-Control-Allow-Origin").Should().BeFalse("no other site's page may read it");
    }

    [Theory(Timeout = Until.Bound)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Origin_IsListed_MayReadAndSendCookiesIfAllowed(bool credentials)
    {
        var options = new ServerSentEventEndpointOptions { Origins = OriginPolicy.Only(Page), AllowCredentials = credentials };
        await using var server = await StartAsync(Wire.Pipes, options);
        using var stream = await EventStream.OpenedAsync(server, "/sse", ("Origin", Page));
        var headers = stream.Response.Headers;
        headers.GetValues("Access-Control-Allow-Origin").Should().Equal(Page);
        headers.Vary.Should().Contain("Origin");
        headers.Contains("Access-Control-Allow-Credentials").Should().Be(credentials);

        using var refused = await EventStream.OpenAsync(server, "/sse", ("Origin", Page), ("Last-Event-ID", new string('x', 5000)));
        refused.Response.StatusCode.Should().Be(HttpStatusCode.BadRequest);
        refused.Response.Headers.GetValues("Access-Control-Allow-Origin").Should().Equal([Page], "the page may see why it was refused");

        using var other = await EventStream.OpenAsync(server, "/sse", ("Origin", "https://evil.example"));
        other.Response.StatusCode.Should().Be(HttpStatusCode.Forbidden);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Origin_Any_MayReadButNeverWithCookies()
    {
        var options = new ServerSentEventEndpointOptions { Origins = OriginPolicy.Any, AllowCredentials = true };
        await using var server = await StartAsync(Wire.Pipes, options);
        using var stream = await EventStream.OpenedAsync(server, "/sse", ("Origin", "null"));
        stream.Response.Headers.GetValues("Access-Control-Allow-Origin").Should().Equal("*");
        stream.Response.Headers.Contains("Access-Control-Allow-Credentials").Should().BeFalse();
    }

    private static Task<TestServerHost> StartAsync(Wire wire, ServerSentEventEndpointOptions options) =>
        TestServerHost.StartAsync(wire, app => app.MapServerSentEvents("/sse", options, (_, cancel) => Task.Delay(Timeout.Infinite, cancel)));
}
