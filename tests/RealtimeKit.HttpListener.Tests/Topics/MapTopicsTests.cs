using System.Net.Http.Headers;
using System.Text;
using RealtimeKit.Topics;

namespace RealtimeKit.Listener.Tests.Topics;

public class MapTopicsTests
{
    private const string Page = "https://page.example";

    [Fact(Timeout = Until.Bound)]
    public async Task Authenticate_ByDefault_TheListenersUserDecides()
    {
        await using var server = await TopicsServer.StartAsync(
            Wire.Pipes,
            topics => topics.Topic("user/*", topic =>
            {
                topic.AuthorizeSubscribe = MayAsync;
                topic.AuthorizePublish = MayAsync;
            }),
            options => options.Authenticate = new HttpListenerTopicOptions().Authenticate);
        server.Listener.AuthenticationSchemes = AuthenticationSchemes.Basic | AuthenticationSchemes.Anonymous;
        var ann = ("Authorization", $"Basic {Convert.ToBase64String("ann:secret"u8)}");
        using var events = await TopicEvents.OpenAsync(server, "/live?topic=user/ann", ann);
        using var socket = await server.ConnectAsync("/live?topic=user/ann", options => options.SetRequestHeader(ann.Item1, ann.Item2));
        (await server.Hub().Connections.ListAsync(TopicConnectionSelector.ByUser("ann"))).Should().HaveCount(2);
        using var published = await server.PostAsync("/live/user/ann", "x", ann);
        published.StatusCode.Should().Be(HttpStatusCode.Accepted);
        (await socket.ReceiveTextAsync()).Should().Be("x");
        (await events.ReadAsync(1)).Should().Equal("user/ann: x");

        (await server.ConnectStatusAsync("/live?topic=user/bob", ann)).Should().Be(403);
        (await server.ConnectStatusAsync("/live?topic=user/ann")).Should().Be(403, "nobody is signed in");
        (await TopicEvents.StatusAsync(server, "/live?topic=user/ann")).Should().Be(403);

        static ValueTask<bool> MayAsync(TopicAccess access) => ValueTask.FromResult(access.Topic == $"user/{access.User.Identity?.Name}");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Authenticate_ReturnsNull_AllButPreflightsIs401()
    {
        await using var server = await TopicsServer.StartAsync(Wire.Pipes, TopicsServer.AllowPublish, options =>
        {
            options.Origins = HttpListenerOriginPolicy.Only(Page);
            options.Authenticate = context =>
            {
                context.Response.Headers["WWW-Authenticate"] = "Bearer";
                return default;
            };
        });
        var origin = ("Origin", Page);
        (await server.ConnectStatusAsync("/live?topic=a", origin)).Should().Be(401);
        (await TopicEvents.StatusAsync(server, "/live?topic=a", origin)).Should().Be(401);
        foreach (var response in new[]
        {
            await server.PostAsync("/live/a", "x", origin),
            await server.PostAsync("/live", "{}", origin),
            await server.SendAsync(HttpMethod.Get, "/live?topic=a", null, origin, ("Accept", "application/json")),
        })
        {
            response.StatusCode.Should().Be(HttpStatusCode.Unauthorized);
            response.Headers.WwwAuthenticate.Should().Equal(new AuthenticationHeaderValue("Bearer"));
            response.Headers.GetValues("Access-Control-Allow-Origin").Should().Equal(Page);
            response.Dispose();
        }

        using var preflight = await server.SendAsync(HttpMethod.Options, "/live/a", null, origin, ("Access-Control-Request-Method", "POST"));
        preflight.StatusCode.Should().Be(HttpStatusCode.NoContent);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Authenticate_Throws_Is500AndNothingStaysOpen()
    {
        await using var server = await TopicsServer.StartAsync(
            Wire.Pipes, endpoint: options => options.Authenticate = _ => throw new InvalidOperationException("broken"));
        (await server.ConnectStatusAsync("/live?topic=a")).Should().Be(500);
        (await TopicEvents.StatusAsync(server, "/live?topic=a")).Should().Be(500);
        using var response = await server.PostAsync("/live/a", "x");
        response.StatusCode.Should().Be(HttpStatusCode.InternalServerError);
        (await server.Hub().Connections.ListAsync(TopicConnectionSelector.ByTopic("a"))).Should().BeEmpty();
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Requests_EndedOrRefusedInAnyWay_LeaveNothingBehind()
    {
        var contexts = new LiveObjects();
        await using var server = await TopicsServer.StartAsync(
            Wire.Pipes,
            topics => topics.Topic("secret", topic => topic.AuthorizeSubscribe = static _ => ValueTask.FromResult(false)),
            options =>
            {
                var authenticate = options.Authenticate;
                options.Authenticate = context =>
                {
                    contexts.Add(context);
                    return authenticate(context);
                };
            });
        for (var batch = 0; batch < 10; batch++)
        {
            await Task.WhenAll(Enumerable.Range(0, 5).SelectMany(i => (Task[])
            [
                ConnectAsync("/live?topic=a", isReset: i % 2 == 0), ConnectAsync("/live?topic=secret", isReset: false),
                FollowAsync("/live?topic=a", isReset: i % 2 == 0), FollowAsync("/live?topic=secret", isReset: false),
                PostAsync(),
            ]));
        }

        contexts.Added.Should().Be(250);
        await Until.TrueAsync(() => TcpConnections.OpenAt(server.Port) == 0);
        await Until.TrueAsync(() => server.Hub().Connections.ListAsync(TopicConnectionSelector.ByTopic("a")).AsTask().Result.Count == 0);
        contexts.Release();
        await Until.TrueAsync(() => contexts.Alive <= 20);

        async Task ConnectAsync(string path, bool isReset)
        {
            await using var client = await server.ConnectRawAsync(path);
            client.StatusCode.Should().Be(path.EndsWith('a') ? 101 : 403);
            if (isReset)
                client.Reset();
        }

        async Task FollowAsync(string path, bool isReset)
        {
            await using var client = await RawRequest.SendAsync(server.Port, path, "Accept: text/event-stream");
            await client.ReadUntilAsync(path.EndsWith('a') ? "event: stream" : "HTTP/1.1 403");
            if (isReset)
                client.Reset();
        }

        async Task PostAsync()
        {
            using var response = await server.PostAsync("/live/a", "x");
            response.StatusCode.Should().Be(HttpStatusCode.Forbidden);
        }
    }

    [Fact(Timeout = Until.Bound)]
    public async Task EventStreams_ThatNobodyReads_HoldNoOtherSubscriberUp()
    {
        await using var server = await TopicsServer.StartAsync(
            Wire.Pipes, endpoint: options => options.ServerSentEvents = new HttpListenerServerSentEventOptions { WriteTimeout = Timeout.InfiniteTimeSpan });
        var stalled = new List<RawRequest>();
        for (var i = 0; i < 8; i++)
        {
            stalled.Add(await RawRequest.SendAsync(server.Port, "/live?topic=a", "Accept: text/event-stream"));
            await stalled[i].ReadUntilAsync("event: stream");
        }

        using var socket = await server.ConnectAsync("/live?topic=a");
        for (var i = 0; i < 2000; i++)
        {
            await server.Hub().PublishAsync("a", new string('x', 1 + (i * 7919 % 20_000)));
            await socket.ReceiveTextAsync();
        }

        foreach (var client in stalled)
            client.Reset();
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Publish_SeveralTimes_KeepsTheConnection()
    {
        await using var server = await TopicsServer.StartAsync(Wire.Pipes, TopicsServer.AllowPublish);
        using var http = await RawHttp.ConnectAsync(server.Port);
        for (var i = 0; i < 3; i++)
        {
            await http.SendAsync($"POST /live/a HTTP/1.1\r\nHost: 127.0.0.1:{server.Port}\r\nContent-Length: 1\r\n\r\nx");
            var (status, head) = await http.ReadHeadAsync();
            status.Should().Be(202);
            head.Should().NotContain("Connection: close");
        }
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Publish_BodyHasACharset_TheQueryIsUtf8()
    {
        await using var server = await TopicsServer.StartAsync(Wire.Pipes, TopicsServer.AllowPublish);
        using var socket = await server.ConnectAsync("/live?topic=m%C3%A4rz");
        using var response = await server.SendAsync(HttpMethod.Post, "/live?topic=m%C3%A4rz", new StringContent("x", Encoding.Latin1, "text/plain"));
        response.StatusCode.Should().Be(HttpStatusCode.Accepted);
        (await socket.ReceiveTextAsync()).Should().Be("x");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Publish_BodyDoesNotCome_Is408AndNothingIsPublished()
    {
        await using var server = await TopicsServer.StartAsync(Wire.Pipes, TopicsServer.AllowPublish);
        var before = await server.GetCursorAsync("?topic=a");
        using var http = await RawHttp.ConnectAsync(server.Port);
        await http.SendAsync($"POST /live/a HTTP/1.1\r\nHost: 127.0.0.1:{server.Port}\r\nContent-Length: 10\r\n\r\nx");
        (await http.ReadHeadAsync()).Status.Should().Be(408);
        (await server.GetCursorAsync("?topic=a")).Should().Be(before);
    }

    [Theory(Timeout = Until.Bound)]
    [InlineData("json.webpubsub.azure.v1")]
    [InlineData("json.reliable.webpubsub.azure.v1")]
    public async Task SubProtocol_OfWebPubSub_IsSpoken(string name)
    {
        await using var server = await TopicsServer.StartAsync(Wire.Pipes);
        using var socket = await server.ConnectAsync("/live", options => options.AddSubProtocol(name));
        socket.SubProtocol.Should().Be(name);
        (await socket.ReceiveTextAsync()).Should().Contain("\"event\":\"connected\"");
        await socket.SendTextAsync("""{"type":"joinGroup","group":"a","ackId":1}""");
        (await socket.ReceiveTextAsync()).Should().Contain("\"success\":true");
        await server.Hub().PublishAsync("a", "hello");
        (await socket.ReceiveTextAsync()).Should().Contain("\"hello\"");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Request_OfAnotherMethod_Is405WithWhatThereIs()
    {
        await using var server = await TopicsServer.StartAsync(Wire.Pipes);
        var (status, head) = await RawHttp.SendAsync(server.Port, "DELETE", "/live");
        status.Should().Be(405);
        head.Should().Contain("Allow: GET, OPTIONS, POST");
        (await RawHttp.SendAsync(server.Port, "GET", "/live/a")).Status.Should().Be(405);
    }

    [Theory]
    [InlineData("/live/")]
    [InlineData("/live/*")]
    [InlineData("live")]
    public async Task MapTopics_PathIsNone_Throws(string path)
    {
        await using var hub = new TopicHub();
        using var listener = new HttpListener();
        FluentActions.Invoking(() => listener.MapTopics(path, hub)).Should().Throw<ArgumentException>();
    }

    [Fact]
    public async Task MapTopics_PathIsTaken_Throws()
    {
        await using var hub = new TopicHub();
        using var listener = new HttpListener();
        var router = listener.MapTopics("/live", hub);
        router.Invoking(router => router.MapTopics("/live", hub)).Should().Throw<ArgumentException>();
        router.Invoking(router => router.MapWebSocket("/live", _ => Task.CompletedTask)).Should().Throw<ArgumentException>();
        router.Invoking(router => router.Map("POST", "/live/*", (_, _) => Task.CompletedTask)).Should().Throw<ArgumentException>();
    }
}
