using System.Collections.Concurrent;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using RealtimeKit.Topics;

namespace RealtimeKit.AspNetCore.Tests.Security;

/// <summary>Connections come and go, the application's own tokens stay: nothing of what has ended may hang on them.</summary>
public class LongLivedTokenTests
{
    private const int Rounds = 20;

    [Theory(Timeout = Until.Bound), InlineData(Wire.Pipes), InlineData(Wire.Stream)]
    public async Task ManyConnectionsStreamsAndSubscriptions_NothingOfThemStays(Wire wire)
    {
        var ended = new ConcurrentBag<WeakReference>();
        await using var server = await TestServerHost.StartAsync(
            wire,
            app =>
            {
                var life = app.Lifetime.ApplicationStopping;
                app.MapWebSocket("/ws", new WebSocketEndpointOptions { ForceStream = wire.IsStream() }, async connection =>
                {
                    await connection.SendAsync("hello", life);
                    while ((await connection.ReceiveAsync(life)).Type != WebSocketMessageType.Close)
                    {
                    }

                    ended.Add(new WeakReference(connection));
                });
                app.MapServerSentEvents("/sse", async (events, closed) =>
                {
                    await events.WriteAsync("hello", cancellationToken: life);
                    using var both = CancellationTokenSource.CreateLinkedTokenSource(closed, life);
                    await Task.Delay(Timeout.Infinite, both.Token).ContinueWith(static _ => { }, TaskScheduler.Default);
                    ended.Add(new WeakReference(events));
                });
                app.MapTopics("/live", options => options.WebSockets.ForceStream = wire.IsStream());
            },
            builder => builder.Services.AddTopics());
        var stopping = server.App.Lifetime.ApplicationStopping;
        for (var i = 0; i < Rounds; i++)
        {
            using (var client = await server.ConnectAsync())
            {
                (await client.ReceiveTextAsync()).Should().Be("hello");
                await client.SendTextAsync("x");
                await client.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Until.Cancelled);
            }

            using (var events = await EventStream.OpenedAsync(server))
                await events.ReadAsync();
            using (await TopicEvents.OpenAsync(server, "/live?topic=a"))
            using (await server.ConnectAsync("/live?topic=a"))
            {
            }

            ended.Add(await SubscribeAsync(server.Hub(), stopping));
        }

        await Until.TrueAsync(() => server.Hub().Connections.ListAsync(TopicConnectionSelector.ByTopic("a")).AsTask().Result.Count == 0);
        await Until.TrueAsync(() => ended.Count == 3 * Rounds);

        // The last of each may still be on the stack of a thread that has just served it.
        await Until.TrueAsync(() =>
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return ended.Count(item => item.IsAlive) <= 3;
        });
        stopping.IsCancellationRequested.Should().BeFalse();
    }

    // In a method of its own, whose locals are gone with it.
    private static async Task<WeakReference> SubscribeAsync(TopicHub hub, CancellationToken life)
    {
        var items = hub.ReadAllAsync(["a"], null, cancellationToken: life);
        await using var reader = items.GetAsyncEnumerator(life);
        var next = reader.MoveNextAsync().AsTask();
        await hub.PublishAsync("a", "x", cancellationToken: life);
        (await next).Should().BeTrue();
        return new WeakReference(items);
    }
}
