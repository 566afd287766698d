using System.Net;
using System.Net.WebSockets;
using System.Threading.RateLimiting;
using RealtimeKit.Topics;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Tests;

/// <summary>How much connections may do: limits that connections share, and deadlines, on a real host.</summary>
public class LimitCases
{
    public static TheoryData<Wire> AllWires => Wires.All;

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task RateLimits_Messages_AreSharedByTheConnectionsOfOneKey(Wire wire)
    {
        var limits = new RealtimeRateLimits { Messages = context => Bucket(KeyOf(context.Request.Headers["X-Key"]), 5) };
        var handled = 0;
        await using var server = await TestServerHost.StartAsync(
            wire,
            async connection =>
            {
                await foreach (var message in connection.ReadAllAsync())
                {
                    Interlocked.Increment(ref handled);
                    await connection.SendAsync(message.Payload, message.Type);
                }
            },
            options => options.RateLimits = limits);
        using var first = await ConnectAsync("a");
        using var second = await ConnectAsync("a");
        using var other = await ConnectAsync("b");
        for (var i = 0; i < 5; i++)
        {
            var socket = i % 2 == 0 ? first : second;
            await socket.SendTextAsync("x");
            (await socket.ReceiveTextAsync()).Should().Be("x");
        }

        await second.SendTextAsync("too much");
        (await second.ReceiveMessageAsync()).Type.Should().Be(WebSocketMessageType.Close);
        second.CloseStatus.Should().Be(WebSocketCloseStatus.PolicyViolation);
        second.CloseStatusDescription.Should().NotBeNullOrEmpty();
        await other.SendTextAsync("x");
        (await other.ReceiveTextAsync()).Should().Be("x");
        handled.Should().Be(6, "what is too much is not dispatched");

        // Coming again does not help: its limiter is not full again.
        using var again = await ConnectAsync("a");
        await again.SendTextAsync("x");
        (await again.ReceiveMessageAsync()).Type.Should().Be(WebSocketMessageType.Close);

        Task<ClientWebSocket> ConnectAsync(string key) => server.ConnectAsync("/ws", options => options.SetRequestHeader("X-Key", key));
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task RateLimits_Bytes_CloseWith1008(Wire wire)
    {
        var limits = new RealtimeRateLimits { Bytes = _ => Bucket("all", 40_000) };
        await using var server = await TestServerHost.StartAsync(wire, Handlers.EchoAsync, options => options.RateLimits = limits);
        using var client = await server.ConnectAsync();
        await client.SendTextAsync(new string('x', 20_000));
        (await client.ReceiveTextAsync()).Should().HaveLength(20_000);
        await client.SendTextAsync(new string('x', 30_000));
        (await client.ReceiveMessageAsync()).Type.Should().Be(WebSocketMessageType.Close);
        client.CloseStatus.Should().Be(WebSocketCloseStatus.PolicyViolation);
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task RateLimits_Throttle_DelaysAndLosesNothing(Wire wire)
    {
        var limits = new RealtimeRateLimits
        {
            Messages = _ => RateLimitPartition.GetTokenBucketLimiter("all", static _ => new TokenBucketRateLimiterOptions
            {
                TokenLimit = 5,
                TokensPerPeriod = 1,
                ReplenishmentPeriod = TimeSpan.FromMilliseconds(20),
            }),
        };
        await using var server = await TestServerHost.StartAsync(wire, Handlers.EchoAsync, options =>
        {
            options.RateLimits = limits;
            options.Connection.RateLimitAction = WebSocketRateLimitAction.Throttle;
        });
        using var first = await server.ConnectAsync();
        using var second = await server.ConnectAsync();
        for (var i = 0; i < 10; i++)
        {
            await first.SendTextAsync($"{i}");
            await second.SendTextAsync($"{i}");
        }

        for (var i = 0; i < 10; i++)
        {
            (await first.ReceiveTextAsync()).Should().Be($"{i}");
            (await second.ReceiveTextAsync()).Should().Be($"{i}");
        }
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task MessagesPerSecond_Exceeded_ClosesWith1008(Wire wire)
    {
        await using var server = await TestServerHost.StartAsync(wire, Handlers.EchoAsync, options =>
        {
            options.Connection.MessagesPerSecond = 1;
            options.Connection.MessageBurst = 20;
        });
        using var client = await server.ConnectAsync();
        for (var i = 0; i < 100 && client.State == WebSocketState.Open; i++)
            await client.SendTextAsync("x");
        var echoes = 0;
        while ((await client.ReceiveMessageAsync()).Type != WebSocketMessageType.Close)
            echoes++;
        client.CloseStatus.Should().Be(WebSocketCloseStatus.PolicyViolation);
        echoes.Should().BeInRange(20, 80);
        await Until.TrueAsync(() => server.Logs.Ours.Any(record => record.Event.Name == "ProtocolViolated"));
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task FirstMessageTimeout_NothingComes_ClosesWith1008(Wire wire)
    {
        await using var server = await TestServerHost.StartAsync(
            wire, Handlers.EchoAsync, options => options.Connection.FirstMessageTimeout = TimeSpan.FromSeconds(3));
        using var silent = await server.ConnectAsync();
        using var speaking = await server.ConnectAsync();
        await speaking.SendTextAsync("here I am");
        (await speaking.ReceiveTextAsync()).Should().Be("here I am");
        (await silent.ReceiveMessageAsync()).Type.Should().Be(WebSocketMessageType.Close);
        silent.CloseStatus.Should().Be(WebSocketCloseStatus.PolicyViolation);
        await speaking.SendTextAsync("still here");
        (await speaking.ReceiveTextAsync()).Should().Be("still here");
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task MemoryBudget_UsedUp_ShedsTheHeaviestWith1013(Wire wire)
    {
        var budget = new RealtimeMemoryBudget(4 << 20);
        await using var server = await TestServerHost.StartAsync(wire, Handlers.EchoAsync, options =>
        {
            options.Connection.MaxMessageSize = 16 << 20;
            options.Connection.MemoryBudget = budget;
        });
        using var light = await server.ConnectAsync();
        using var heavy = await server.ConnectAsync();
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Until.Cancelled);
        await light.SendAsync(new byte[100_000], WebSocketMessageType.Binary, endOfMessage: false, Until.Cancelled);
        var flood = Task.Run(async () =>
        {
            try
            {
                for (var i = 0; i < 12; i++)
                    await heavy.SendAsync(new byte[1 << 20], WebSocketMessageType.Binary, endOfMessage: false, enough.Token);
            }
            catch (Exception error) when (error is WebSocketException or IOException or InvalidOperationException or OperationCanceledException)
            {
            }
        });
        await Until.TrueAsync(() => budget.ShedConnections == 1);
        try
        {
            (await heavy.ReceiveMessageAsync()).Type.Should().Be(WebSocketMessageType.Close);
            heavy.CloseStatus.Should().Be((WebSocketCloseStatus)1013);
        }
        catch (Exception error) when (error is WebSocketException or IOException)
        {
            // It went on sending, so that it was reset.
        }

        // Over HTTP/2 the framework's Abort leaves a send that is under way: it goes on sending, or waits for ever. Cancelling ends it.
        await enough.CancelAsync();
        await flood;
        await Until.TrueAsync(() => server.Logs.Ours.Any(record => record.Event.Id == RealtimeEventIds.MemoryShed));
        await light.SendAsync(new byte[5], WebSocketMessageType.Binary, endOfMessage: true, Until.Cancelled);
        (await light.ReceiveMessageAsync()).Payload.Should().HaveCount(100_005);
        await light.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Until.Cancelled);
        await Until.TrueAsync(() => budget.RetainedBytes == 0);
        budget.ShedConnections.Should().Be(1);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task RateLimits_Posts_Are429WithRetryAfter()
    {
        var limits = new RealtimeRateLimits { Messages = _ => Bucket("all", 3), Bytes = _ => Bucket("all", 100_000) };
        await using var server = await TopicsServer.StartAsync(Wire.Pipes, TopicsServer.AllowPublish, options => options.WebSockets.RateLimits = limits);
        for (var i = 0; i < 2; i++)
        {
            using var published = await server.PostAsync("/live/a", "x");
            published.StatusCode.Should().Be(HttpStatusCode.Accepted);
        }

        using var large = await server.PostAsync("/live/a", new string('x', 120_000));
        large.StatusCode.Should().Be(HttpStatusCode.TooManyRequests);
        using var fourth = await server.PostAsync("/live/a", "x");
        fourth.StatusCode.Should().Be(HttpStatusCode.TooManyRequests);
        fourth.Headers.RetryAfter!.Delta.Should().BeGreaterThanOrEqualTo(TimeSpan.FromSeconds(1));
        using var change = await server.PostAsync("/live", """{"stream":"x"}""");
        change.StatusCode.Should().Be(HttpStatusCode.TooManyRequests);

        // What arrives over a WebSocket is counted by the same limiter.
        using var socket = await server.ConnectAsync("/live?topic=a");
        await socket.SendTextAsync("x");
        (await socket.ReceiveMessageAsync()).Type.Should().Be(WebSocketMessageType.Close);
        socket.CloseStatus.Should().Be(WebSocketCloseStatus.PolicyViolation);
    }

    // Requests of the protocol are messages like any other: what is too much is neither published nor acknowledged.
    [Theory(Timeout = Until.Bound), InlineData("json.webpubsub.azure.v1"), InlineData("json.reliable.webpubsub.azure.v1")]
    public async Task RateLimits_WebPubSubRequests_CloseWith1008(string protocol)
    {
        const int Allowed = 5;
        var limits = new RealtimeRateLimits { Messages = _ => Bucket("all", Allowed) };
        await using var server = await TopicsServer.StartAsync(Wire.Pipes, TopicsServer.AllowPublish, options => options.WebSockets.RateLimits = limits);
        using var client = await server.ConnectAsync("/live", options => options.AddSubProtocol(protocol));
        (await client.ReceiveTextAsync()).Should().Contain("connected");
        for (var i = 1; i <= Allowed + 1; i++)
            await client.SendTextAsync($$"""{"type":"sendToGroup","group":"g","ackId":{{i}},"dataType":"text","data":"x"}""");
        for (var i = 1; i <= Allowed; i++)
            (await client.ReceiveTextAsync()).Should().Contain($"\"ackId\":{i}").And.Contain("true");
        (await client.ReceiveMessageAsync()).Type.Should().Be(WebSocketMessageType.Close);
        client.CloseStatus.Should().Be(WebSocketCloseStatus.PolicyViolation);
        (await server.Hub().GetCursorAsync(["g"])).TryGetPosition("g", out var position).Should().BeTrue();
        position.Offset.Should().Be(Allowed);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task GetUserOrAddress_NobodySignedIn_IsTheAddress()
    {
        var seen = new TaskCompletionSource<string>();
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, Handlers.EchoAsync, options => options.RateLimits = new RealtimeRateLimits
        {
            Messages = context =>
            {
                var key = RealtimeRateLimits.GetUserOrAddress(context);
                seen.TrySetResult(key);
                return Bucket(key, 10);
            },
        });
        using var client = await server.ConnectAsync();
        (await seen.Task).Should().Be("address:127.0.0.1");
    }

    // Header values are strings on one host and more on the other.
    private static string KeyOf(string? header) => header ?? "none";

    /// <summary>So many permits, and no more in the time of a test.</summary>
    private static RateLimitPartition<string> Bucket(string key, int permits) => RateLimitPartition.GetTokenBucketLimiter(key, _ => new TokenBucketRateLimiterOptions
    {
        TokenLimit = permits,
        TokensPerPeriod = 1,
        ReplenishmentPeriod = TimeSpan.FromHours(1),
    });
}
