using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace RealtimeKit.Security.Tests;

/// <summary>SECURITY.md, slow reader: peers that take connections and read nothing of what they asked for.</summary>
public class SlowReaderTests
{
    private static readonly byte[] Payload = new byte[64 * 1024];

    public static TheoryData<string, bool> Attacks => new()
    {
        { "ws", true }, { "ws", false }, { "ws-stream", true }, { "ws-stream", false }, { "sse", true }, { "sse", false }, { "topics", true }, { "topics", false },
    };

    // What it holds is bounded from the beginning, and it holds it for 30 seconds.
    [Theory(Timeout = Until.Bound), MemberData(nameof(Attacks))]
    public async Task Reader_ThatReadsNothing_IsCutOffAtTheDeadline(string endpoint, bool isLimited)
    {
        const int Readers = 8;
        var time = new FakeTimeProvider();
        var written = new long[Readers];
        var ended = 0;
        await using var server = await StartAsync(time, isLimited ? TimeSpan.FromSeconds(30) : Timeout.InfiniteTimeSpan, written, () => Interlocked.Increment(ref ended));
        await using var bystander = await Bystander.JoinAsync(server);
        var before = RetainedMemory.Measure();
        var readers = new List<IAsyncDisposable>();
        for (var i = 0; i < Readers; i++)
        {
            readers.Add(endpoint switch
            {
                "sse" => await RawRequest.SendAsync(server.Port, $"/sse?reader={i}", "Accept: text/event-stream"),
                "topics" => await RawRequest.SendAsync(server.Port, "/live?topic=flood", "Accept: text/event-stream"),
                _ => await server.ConnectRawAsync($"/{endpoint}?reader={i}"),
            });
        }

        if (endpoint == "topics")
            await PublishAsync(server, Readers);
        await StalledAsync(written);
        RetainedMemory.Since(before).Should().BeLessThan(Readers * 2 * RetainedMemory.MiB, "each was offered without end");
        written.Max().Should().BeLessThan(64 << 20);
        await bystander.IsServedAsync();

        // Deadlines are looked at in steps; the clock is moved until they are, however late the server comes to it, or long past them.
        for (var i = 0; (isLimited || i < 200) && Volatile.Read(ref ended) < Readers; i++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(5, Until.Cancelled);
        }

        void AssertEnded() => Volatile.Read(ref ended).Should().Be(Readers);
        if (isLimited)
            AssertEnded();
        else
            Proof.FailsWithoutTheLimit(AssertEnded);
        await bystander.IsServedAsync();
        foreach (var reader in readers)
            await reader.DisposeAsync();
        await Until.TrueAsync(() => Volatile.Read(ref ended) == Readers);
    }

    // A connection that only listens, on a path over which the other end has gone without a word: half-open TCP. No byte comes, none is refused.
    [Theory(Timeout = Until.Bound), InlineData(true), InlineData(false)]
    public async Task Peer_ThatAnswersNoPing_IsCutOff(bool isLimited)
    {
        var time = new FakeTimeProvider();
        var ended = new TaskCompletionSource();
        await using var server = await Hosts.StartAsync(
            Wire.Pipes,
            options =>
            {
                options.Connection.TimeProvider = time;
                if (!isLimited)
                    options.Connection.KeepAliveTimeout = Timeout.InfiniteTimeSpan;
            },
            async connection =>
            {
                await foreach (var _ in connection.ReadAllAsync())
                {
                }

                ended.TrySetResult();
            });
        await using var bystander = await Bystander.JoinAsync(server);
        await using var peer = await Peer.ConnectAsync(server);
        for (var i = 0; (isLimited || i < 60) && !ended.Task.IsCompleted; i++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(5, Until.Cancelled);
        }

        void AssertEnded() => ended.Task.IsCompleted.Should().BeTrue();
        if (isLimited)
            AssertEnded();
        else
            Proof.FailsWithoutTheLimit(AssertEnded);
        await bystander.IsServedAsync();
    }

    private static async Task PublishAsync(TestServerHost server, int readers)
    {
        var hub = server.Hub();
        await Until.TrueAsync(() => hub.Connections.ListAsync(TopicConnectionSelector.ByTopic("flood")).AsTask().Result.Count == readers);
        for (var i = 0; i < 200; i++)
            await hub.PublishAsync("flood", Payload);
    }

    // Nobody writes any more: what is to be filled is full.
    private static async Task StalledAsync(long[] written)
    {
        long last = -1;
        while (written.Sum(static count => count) is var now && now != last)
        {
            last = now;
            await Task.Delay(500, Until.Cancelled);
        }
    }

    private static Task<TestServerHost> StartAsync(TimeProvider time, TimeSpan deadline, long[] written, Action ended)
    {
        var sockets = new WebSocketEndpointOptions { Connection = { TimeProvider = time, WriteTimeout = deadline, KeepAliveInterval = Timeout.InfiniteTimeSpan } };
        var streamed = new WebSocketEndpointOptions { ForceStream = true, Connection = { TimeProvider = time, WriteTimeout = deadline, KeepAliveInterval = Timeout.InfiniteTimeSpan } };
        var events = new ServerSentEventEndpointOptions { TimeProvider = time, WriteTimeout = deadline };
        return TestServerHost.StartAsync(
            Wire.Pipes,
            app =>
            {
                app.MapWebSocket("/ws", sockets, SendAsync);
                app.MapWebSocket("/ws-stream", streamed, SendAsync);
                app.MapWebSocket("/echo", Handlers.EchoAsync);
                app.MapServerSentEvents("/sse", events, async (writer, request, http, cancel) =>
                {
                    var reader = int.Parse(http.Request.Query["reader"]!, System.Globalization.CultureInfo.InvariantCulture);
                    try
                    {
                        while (true)
                        {
                            await writer.WriteAsync(Payload.AsMemory(), cancellationToken: cancel);
                            written[reader] += Payload.Length;
                        }
                    }
                    finally
                    {
                        ended();
                    }
                });
                app.Use(async (http, next) =>
                {
                    await next(http);
                    if (http.Request.Path == "/live")
                        ended();
                });
                app.UseRouting();
#pragma warning disable ASP0014 // The middleware above is to see the endpoint's end.
                app.UseEndpoints(routes => routes.MapTopics("/live", options => options.ServerSentEvents = events));
#pragma warning restore ASP0014

                async Task SendAsync(WebSocketConnection connection, Microsoft.AspNetCore.Http.HttpContext http)
                {
                    var reader = int.Parse(http.Request.Query["reader"]!, System.Globalization.CultureInfo.InvariantCulture);
                    try
                    {
                        while (true)
                        {
                            await connection.SendAsync(Payload, WebSocketMessageType.Binary);
                            written[reader] += Payload.Length;
                        }
                    }
                    finally
                    {
                        ended();
                    }
                }
            },
            builder => builder.Services.AddTopics(topics => topics.Default.HistoryCount = 1000),
            // Its own limit would do the same after five seconds, on connections that are not upgraded.
            kestrel: kestrel => kestrel.Limits.MinResponseDataRate = null);
    }
}
