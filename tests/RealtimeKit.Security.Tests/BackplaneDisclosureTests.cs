using Microsoft.Extensions.DependencyInjection;
using RealtimeKit.Redis;
using RealtimeKit.Redis.Tests;

namespace RealtimeKit.Security.Tests;

/// <summary>SECURITY.md, backplane disclosure: two applications on one Redis, one of which reads what is the other's.</summary>
public class BackplaneDisclosureTests
{
    [Theory(Timeout = Until.Bound), InlineData(true), InlineData(false)]
    public async Task Applications_WithPrefixesOfTheirOwn_SeeNothingOfEachOther(bool isApart)
    {
        await using var redis = await RedisServer.StartAsync();
        await using var one = await StartAsync(redis, "one");
        await using var two = await StartAsync(redis, isApart ? "two" : "one");
        await using var bystander = await Bystander.JoinAsync(one);
        var cursor = await two.GetCursorAsync("?topic=secret");
        using var published = await one.PostAsync("/live/secret", "of one");
        published.StatusCode.Should().Be(HttpStatusCode.Accepted);
        using var own = await two.PostAsync("/live/secret", "of two");
        using var events = await TopicEvents.OpenAsync(two, $"/live?topic=secret&after={cursor}");
        var seen = (await events.ReadAsync())!.Data;
        void AssertApart() => seen.Should().Be("of two");
        if (isApart)
            AssertApart();
        else
            Proof.FailsWithoutTheLimit(AssertApart);
        await bystander.IsServedAsync();
    }

    // Names that would lead elsewhere, were they part of a pattern, a script or a key as they are.
    [Fact(Timeout = Until.Bound)]
    public async Task Names_OfClients_StayWithinThePrefix()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var one = await StartAsync(redis, "one");
        await using var two = await StartAsync(redis, "two");
        using (await one.PostAsync("/live/secret", "of one"))
        {
        }

        var hub = two.Hub();
        string[] names = ["one:{secret}", "}:one:{secret", "{secret}", "../one/secret", "*", "?", "[a-z]*", "secret} one:{secret", "';return redis.call('KEYS','*')--", "two:{secret}:state", "one", ":", "{", "}", "{}", "\u00e9}{"];
        foreach (var name in names)
        {
            using var response = await two.PostAsync($"/live?topic={Uri.EscapeDataString(name)}", "x");
            response.StatusCode.Should().Be(HttpStatusCode.Accepted, name);
            var page = await hub.Engine.ReadAsync(name, default, 100, Until.Cancelled);
            page.Entries.Length.Should().Be(1, "it is a topic like any other, and nobody else's: {0}", name);
        }

        var keys = await KeysAsync(redis);
        keys.Where(key => !key.StartsWith("two:", StringComparison.Ordinal)).Should().OnlyContain(key => key.StartsWith("one:{secret}", StringComparison.Ordinal));
        foreach (var name in new[] { "a\r\nFLUSHALL\r\n", "a\0b", "" })
        {
            using var refused = await two.PostAsync($"/live?topic={Uri.EscapeDataString(name)}", "x");
            refused.StatusCode.Should().Be(HttpStatusCode.BadRequest);
        }
    }

    private static async Task<string[]> KeysAsync(RedisServer redis)
    {
        await using var connection = await StackExchange.Redis.ConnectionMultiplexer.ConnectAsync(redis.ConnectionString);
        return [.. connection.GetServer("127.0.0.1", redis.Port).Keys().Select(key => key.ToString())];
    }

    private static Task<TestServerHost> StartAsync(RedisServer redis, string prefix) => TestServerHost.StartAsync(
        Wire.Pipes,
        app =>
        {
            app.MapTopics("/live");
            app.MapWebSocket("/echo", Handlers.EchoAsync);
        },
        builder => builder.Services.AddTopics(TopicsServer.AllowPublish).AddRedis(redis.ConnectionString, options => options.KeyPrefix = prefix));
}
