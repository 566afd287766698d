using System.Net;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using RealtimeKit.Topics;

namespace RealtimeKit.AspNetCore.Tests.Security;

public class ConnectionCapTests
{
    [Fact(Timeout = Until.Bound)]
    public async Task PerUser_IsReached_Answers429UntilOneLeaves()
    {
        await using var server = await AccessServer.StartAsync(Wire.Pipes, options => options.MaxConnectionsPerUser = 3);
        var ann = await server.LoginAsync("ann");
        using var socket = await server.ConnectAsync("/ws", options => options.SetRequestHeader(ann.Name, ann.Value));
        using var events = await EventStream.OpenedAsync(server, "/sse", ann);
        var topics = await TopicEvents.OpenAsync(server, "/live?topic=a", ann);
        (await server.ConnectStatusAsync("/ws", ann)).Should().Be(429);
        (await server.ConnectStatusAsync("/live?topic=a", ann)).Should().Be(429);
        using (var refused = await server.SendAsync(HttpMethod.Get, "/sse", null, ann))
        {
            ((int)refused.StatusCode).Should().Be(429);
            refused.Headers.RetryAfter!.Delta.Should().Be(TimeSpan.FromSeconds(10));
        }

        server.Logs.Ours.Where(record => record.Event.Id == RealtimeEventIds.LimitReached).Should().HaveCount(3)
            .And.OnlyContain(record => record.Message.Contains("MaxConnectionsPerUser") && record.Message.Contains("ann"));
        (await server.ConnectStatusAsync("/ws", await server.LoginAsync("bob"))).Should().Be(101, "bob has none");
        (await server.ConnectStatusAsync("/open")).Should().Be(101, "nobody has no limit");
        topics.Dispose();
        await Until.TrueAsync(() => server.ConnectStatusAsync("/ws", ann).Result == 101);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task PerAddressAndTotal_AreReached_AnswerAndLetIn()
    {
        await using var server = await AccessServer.StartAsync(Wire.Pipes, options => options.MaxConnectionsPerAddress = 1);
        using (await server.ConnectAsync("/open"))
            (await server.ConnectStatusAsync("/open")).Should().Be(429);
        await using var small = await AccessServer.StartAsync(Wire.Pipes, options => options.MaxConnections = 1);
        using (await small.ConnectAsync("/open"))
            (await small.ConnectStatusAsync("/open")).Should().Be(503);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task PerHttp2Connection_IsReached_Answers429OnThatOneOnly()
    {
        await using var server = await AccessServer.StartAsync(Wire.Http2, options => options.MaxWebSocketsPerHttp2Connection = 2);
        using var shared = TestServerHost.NewInvoker();
        using var first = await ConnectAsync(shared);
        using var second = await ConnectAsync(shared);
        var third = () => ConnectAsync(shared);
        (await third.Should().ThrowAsync<System.Net.WebSockets.WebSocketException>()).WithMessage("*429*");
        using var another = TestServerHost.NewInvoker();
        using var elsewhere = await ConnectAsync(another);
        first.Abort();
        await Until.TrueAsync(() => server.App.Services.GetRequiredService<IOptions<RealtimeOptions>>().Value.Caps.Total == 2);
        using var again = await ConnectAsync(shared);

        async Task<System.Net.WebSockets.ClientWebSocket> ConnectAsync(HttpMessageInvoker http)
        {
            var client = new System.Net.WebSockets.ClientWebSocket();
            client.Options.HttpVersion = HttpVersion.Version20;
            client.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
            await client.ConnectAsync(server.Uri("/open"), http, Until.Cancelled);
            return client;
        }
    }

    [Fact(Timeout = Until.Bound)]
    public async Task ConnectLimiter_WithoutPermit_Answers429BeforeTheUpgrade()
    {
        await using var limiter = PartitionedRateLimiter.Create<HttpContext, IPAddress>(context => RateLimitPartition.GetFixedWindowLimiter(
            context.Connection.RemoteIpAddress!, _ => new FixedWindowRateLimiterOptions { PermitLimit = 2, Window = TimeSpan.FromHours(1), QueueLimit = 0 }));
        await using var server = await AccessServer.StartAsync(Wire.Pipes, options => options.ConnectLimiter = limiter);
        (await server.ConnectStatusAsync("/open")).Should().Be(101);
        (await server.ConnectStatusAsync("/open")).Should().Be(101);
        (await server.ConnectStatusAsync("/open")).Should().Be(429);
    }

    [Theory(Timeout = Until.Bound), InlineData(Wire.Pipes), InlineData(Wire.Http2)]
    public async Task Count_AfterChurn_IsExact(Wire wire)
    {
        await using var server = await AccessServer.StartAsync(wire, options => options.MaxConnectionsPerAddress = 1000);
        var caps = server.App.Services.GetRequiredService<IOptions<RealtimeOptions>>().Value.Caps;
        var cookie = await server.LoginAsync("ann");
        await Parallel.ForEachAsync(Enumerable.Range(0, 120), Until.Cancelled, async (i, _) =>
        {
            switch (i % 6)
            {
                case 0:
                    using (var events = await EventStream.OpenedAsync(server, "/sse", cookie))
                        await events.ReadAsync();
                    break;
                case 1:
                    await TopicEvents.StatusAsync(server, "/sse", cookie, ("Last-Event-ID", "a\u0001"), ("Last-Event-ID", "b"));
                    break;
                case 2:
                    await TopicEvents.StatusAsync(server, "/live?topic=a&topic=a\u0001", cookie);
                    break;
                case 3:
                    await server.ConnectStatusAsync("/live", cookie);
                    break;
                default:
                    var client = await server.ConnectAsync("/ws", options => options.SetRequestHeader(cookie.Name, cookie.Value));
                    if (i % 6 == 4)
                        await client.CloseAsync(System.Net.WebSockets.WebSocketCloseStatus.NormalClosure, null, Until.Cancelled);
                    client.Dispose();
                    break;
            }
        });
        await Until.TrueAsync(() => caps.IsEmpty);
        caps.Total.Should().Be(0);
    }

    [Theory]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", true)]
    [InlineData("192.0.2.1", "192.0.2.2", false)]
    [InlineData("::1", "127.0.0.1", false)]
    public void Address_IsCountedByItsNetwork(string one, string other, bool isSame) =>
        (ConnectionCaps.KeyOf(IPAddress.Parse(one)) == ConnectionCaps.KeyOf(IPAddress.Parse(other))).Should().Be(isSame);
}
