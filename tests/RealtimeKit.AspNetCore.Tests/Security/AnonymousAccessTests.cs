using System.Net;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace RealtimeKit.AspNetCore.Tests.Security;

/// <summary>An application that is closed by default (<c>FallbackPolicy</c>), and what it opens to everybody.</summary>
public class AnonymousAccessTests
{
    private const string Page = "https://page.example";

    [Theory(Timeout = Until.Bound), InlineData(Wire.Pipes), InlineData(Wire.Http2)]
    public async Task FallbackPolicy_EndpointsWithAndWithoutAllowAnonymous_AreOpenAndClosed(Wire wire)
    {
        await using var server = await StartAsync(wire);
        var upgraded = wire.IsHttp2() ? 200 : 101;
        var cookie = await server.LoginAsync("ann");
        (await server.ConnectStatusAsync("/closed/ws")).Should().Be(401);
        (await server.ConnectStatusAsync("/closed/ws", cookie)).Should().Be(upgraded);
        (await server.ConnectStatusAsync("/free/ws")).Should().Be(upgraded);
        (await TopicEvents.StatusAsync(server, "/closed/sse")).Should().Be(401);
        (await TopicEvents.StatusAsync(server, "/closed/sse", cookie)).Should().Be(200);
        using (var events = await EventStream.OpenedAsync(server, "/free/sse"))
            (await events.ReadAsync()).Should().Be("data: nobody");

        (await TopicEvents.StatusAsync(server, "/closed/live?topic=a")).Should().Be(401);
        (await server.ConnectStatusAsync("/closed/live?topic=a")).Should().Be(401);
        (await server.ConnectStatusAsync("/free/live?topic=a")).Should().Be(upgraded);
        using (var events = await TopicEvents.OpenAsync(server, "/free/live?topic=a"))
            events.Topics.Should().Equal("a");
        foreach (var (path, status) in new[] { ("/closed/live/a", HttpStatusCode.Unauthorized), ("/free/live/a", HttpStatusCode.Accepted) })
        {
            using var publish = await server.PostAsync(path, "x");
            publish.StatusCode.Should().Be(status, path);
        }
    }

    // Who has signed in is known on an endpoint that is open to everybody, too: counted, and gone with the expiry.
    [Fact(Timeout = Until.Bound)]
    public async Task AllowAnonymous_SomebodyHasSignedIn_IsKnown()
    {
        await using var server = await StartAsync(Wire.Pipes, options => options.MaxConnectionsPerUser = 1);
        var cookie = await server.LoginAsync("ann");
        using var events = await EventStream.OpenedAsync(server, "/free/sse", cookie);
        (await events.ReadAsync()).Should().Be("data: ann");
        (await TopicEvents.StatusAsync(server, "/free/sse", cookie)).Should().Be(429);
        (await server.ConnectStatusAsync("/free/ws", cookie)).Should().Be(429);
        (await TopicEvents.StatusAsync(server, "/free/sse")).Should().Be(200, "nobody is not ann");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Tickets_OpenToEverybody_AreStillForWhoHasSignedIn()
    {
        await using var server = await StartAsync(Wire.Pipes);
        foreach (var path in new[] { "/closed/tickets", "/free/tickets" })
        {
            using var nobody = await server.PostAsync(path, """{"endpoint":"/ws"}""");
            nobody.StatusCode.Should().Be(HttpStatusCode.Unauthorized, path);
            using var ann = await server.PostAsync(path, """{"endpoint":"/ws"}""", await server.LoginAsync("ann"));
            ann.StatusCode.Should().Be(HttpStatusCode.OK, path);
        }
    }

    // Fetch §4.8: a preflight carries no credentials, whatever the policy.
    [Theory(Timeout = Until.Bound), InlineData("/closed/live"), InlineData("/closed/live/a"), InlineData("/closed/tickets")]
    public async Task FallbackPolicy_Preflight_IsAnswered(string path)
    {
        await using var server = await StartAsync(Wire.Pipes);
        using var preflight = await server.SendAsync(HttpMethod.Options, path, null, ("Origin", Page), ("Access-Control-Request-Method", "POST"));
        preflight.StatusCode.Should().Be(HttpStatusCode.NoContent);
        preflight.Headers.GetValues("Access-Control-Allow-Origin").Should().Equal(Page);
    }

    private static Task<TestServerHost> StartAsync(Wire wire, Action<RealtimeOptions>? realtime = null) => AccessServer.StartAsync(
        wire,
        realtime,
        build: builder => builder.Services.AddAuthorizationBuilder().SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build()),
        topics: TopicsServer.AllowPublish,
        map: app =>
        {
            foreach (var name in new[] { "closed", "free" })
            {
                IEndpointConventionBuilder[] endpoints =
                [
                    app.MapWebSocket($"/{name}/ws", Handlers.EchoAsync),
                    app.MapServerSentEvents($"/{name}/sse", async (events, _, context, closed) =>
                    {
                        await events.WriteAsync(context.GetRealtimeSession()?.UserId ?? "nobody", cancellationToken: closed);
                        await Task.Delay(Timeout.Infinite, closed);
                    }),
                    app.MapTopics($"/{name}/live", options => options.Origins = OriginPolicy.Only(Page)),
                    app.MapTickets($"/{name}/tickets", options => options.Origins = OriginPolicy.Only(Page)),
                ];
                foreach (var endpoint in endpoints)
                {
                    if (name == "free")
                        endpoint.AllowAnonymous();
                }
            }
        });
}
