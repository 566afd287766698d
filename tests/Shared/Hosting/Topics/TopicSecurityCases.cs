using System.Collections.Concurrent;
using System.Net;
using RealtimeKit.Topics;

namespace RealtimeKit.Tests;

public class TopicSecurityCases
{
    private const string Page = "https://page.example";

    [Fact(Timeout = Until.Bound)]
    public async Task Authorization_OfEachTopic_DecidesOverTheWholeRequest()
    {
        await using var server = await TopicsServer.StartAsync(Wire.Pipes, topics => topics.Topic("user/*", topic =>
        {
            topic.AuthorizeSubscribe = MayAsync;
            topic.AuthorizePublish = MayAsync;
        }));
        var ann = ("X-User", "ann");
        (await server.ConnectStatusAsync("/live?topic=user/ann&topic=a", ann)).Should().Be(101);
        (await server.ConnectStatusAsync("/live?topic=user/ann&topic=user/bob", ann)).Should().Be(403);
        (await server.ConnectStatusAsync("/live?topic=user/ann")).Should().Be(403, "nobody is signed in");
        (await TopicEvents.StatusAsync(server, "/live?topic=user/ann", ann)).Should().Be(200);
        (await TopicEvents.StatusAsync(server, "/live?topic=a&topic=user/bob", ann)).Should().Be(403);
        using var cursor = await server.SendAsync(HttpMethod.Get, "/live?topic=user/bob", null, ann, ("Accept", "application/json"));
        cursor.StatusCode.Should().Be(HttpStatusCode.Forbidden);
        using var own = await server.PostAsync("/live/user/ann", "x", ann);
        own.StatusCode.Should().Be(HttpStatusCode.Accepted);
        using var others = await server.PostAsync("/live/user/bob", "x", ann);
        others.StatusCode.Should().Be(HttpStatusCode.Forbidden);
        server.Hub().Connections.Find("").Should().BeNull();
        await Until.TrueAsync(() => server.Hub().Connections.ListAsync(TopicConnectionSelector.ByUser("ann")).AsTask().Result.Count == 0);

        static ValueTask<bool> MayAsync(TopicAccess access) => ValueTask.FromResult(access.Topic == $"user/{access.User.Identity?.Name ?? access.User.FindFirst(System.Security.Claims.ClaimTypes.NameIdentifier)?.Value}");
    }

    [Theory(Timeout = Until.Bound)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Authorization_RightWasTakenAway_IsAskedAgainAtEachResume(bool isSocket)
    {
        var asked = new ConcurrentQueue<(string Topic, bool IsResume)>();
        var isAllowed = true;
        await using var server = await TopicsServer.StartAsync(Wire.Pipes, topics => topics.Default.AuthorizeSubscribe = access =>
        {
            asked.Enqueue((access.Topic, access.IsResume));
            return ValueTask.FromResult(access.Topic != "b" || isAllowed);
        });
        string last;
        using (var events = await TopicEvents.OpenAsync(server, "/live?topic=a&topic=b"))
            last = events.LastEventId!;
        isAllowed = false;

        // Somebody else's cursor, or one's own: it grants nothing.
        if (isSocket)
            (await server.ConnectStatusAsync($"/live?after={last}")).Should().Be(403);
        else
            (await TopicEvents.StatusAsync(server, "/live?topic=a&topic=b", ("Last-Event-ID", last))).Should().Be(403);
        asked.Should().Equal(("a", false), ("b", false), ("a", true), ("b", true));
        (await TopicEvents.StatusAsync(server, "/live?topic=a")).Should().Be(200);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Origin_OfAnotherSite_MayDoNothing()
    {
        await using var server = await TopicsServer.StartAsync(Wire.Pipes, TopicsServer.AllowPublish);
        var origin = ("Origin", "https://evil.example");
        (await server.ConnectStatusAsync("/live?topic=a", origin)).Should().Be(403);
        (await TopicEvents.StatusAsync(server, "/live?topic=a", origin)).Should().Be(403);
        using var events = await TopicEvents.OpenAsync(server, "/live?topic=a");
        foreach (var response in new[]
        {
            await server.PostAsync("/live/a", "x", origin),
            await server.ChangeAsync(events.Key, ["b"], headers: origin),
            await server.SendAsync(HttpMethod.Get, "/live?topic=a", null, origin, ("Accept", "application/json")),
            await server.SendAsync(HttpMethod.Options, "/live", null, origin, ("Access-Control-Request-Method", "POST")),
        })
        {
            response.StatusCode.Should().Be(HttpStatusCode.Forbidden);
            response.Headers.Contains("Access-Control-Allow-Origin").Should().BeFalse();
            response.Dispose();
        }

        var same = ("Origin", server.HttpUri("/").GetLeftPart(UriPartial.Authority));
        using var allowed = await server.PostAsync("/live/a", "x", same);
        allowed.StatusCode.Should().Be(HttpStatusCode.Accepted);
        (await server.ConnectStatusAsync("/live?topic=a", same)).Should().Be(101);
    }

    [Theory(Timeout = Until.Bound)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Origin_IsListed_MayDoEverythingAndIsToldSoBefore(bool credentials)
    {
        await using var server = await TopicsServer.StartAsync(
            Wire.Pipes,
            TopicsServer.AllowPublish,
            options =>
            {
                options.Origins = OriginPolicy.Only(Page);
                options.AllowCredentials = credentials;
            });
        var origin = ("Origin", Page);
        using var events = await TopicEvents.OpenAsync(server, "/live?topic=a", origin);
        foreach (var (response, status) in new[]
        {
            (await server.PostAsync("/live/a", "x", origin), 202),
            (await server.ChangeAsync(events.Key, ["b"], headers: origin), 200),
            (await server.SendAsync(HttpMethod.Options, "/live", null, origin, ("Access-Control-Request-Method", "POST")), 204),
            (await server.SendAsync(HttpMethod.Options, "/live/a", null, origin, ("Access-Control-Request-Method", "POST")), 204),
        })
        {
            ((int)response.StatusCode).Should().Be(status);
            response.Headers.GetValues("Access-Control-Allow-Origin").Should().Equal(Page);
            response.Headers.Contains("Access-Control-Allow-Credentials").Should().Be(credentials);
            if (status == 204)
                response.Headers.GetValues("Access-Control-Allow-Methods").Should().Equal("GET, POST");
            response.Dispose();
        }
    }
}
