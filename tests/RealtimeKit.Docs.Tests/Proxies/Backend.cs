using System.Collections.Concurrent;
using System.Globalization;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using RealtimeKit.AspNetCore;
using RealtimeKit.Topics;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Docs.Tests;

/// <summary>The application behind a proxy: what the documentation says of the application, with heartbeats that come soon.</summary>
internal sealed class Backend : IAsyncDisposable
{
    /// <summary>Far below the proxies' idle timeout.</summary>
    private static readonly TimeSpan Heartbeat = TimeSpan.FromMilliseconds(300);

    private readonly Site _site;

    private Backend(Site site) => _site = site;

    public int Port => _site.Address.Port;

    public TopicHub Hub => _site.Services.GetRequiredService<TopicHub>();

    /// <summary>How each connection of /close ended, as the application saw it.</summary>
    public static ConcurrentDictionary<string, TaskCompletionSource<WebSocketCloseResult>> Closed { get; } = [];

    /// <summary>The streams of /hold that have ended, because the application was told that their client has gone.</summary>
    public static ConcurrentDictionary<string, TaskCompletionSource> Gone { get; } = [];

    public static async Task<Backend> StartAsync(HttpProtocols protocols) => new(await Site.StartAsync(Map, builder =>
    {
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ConfigureEndpointDefaults(listen => listen.Protocols = protocols);
            kestrel.AllowAlternateSchemes = protocols == HttpProtocols.Http2;
        });
        builder.Services.AddTopics();
    }));

    public ValueTask DisposeAsync() => _site.DisposeAsync();

    private static void Map(WebApplication app)
    {
        // What /bare shows is what happens without.
        app.UseWhen(
            http => !http.Request.Path.StartsWithSegments("/bare", StringComparison.Ordinal),
            branch => branch.UseForwardedHeaders(new() { ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto }));
        app.UseRouting();
        var sockets = new WebSocketEndpointOptions { Connection = { KeepAliveInterval = Heartbeat } };
        var streams = new ServerSentEventEndpointOptions { HeartbeatInterval = Heartbeat };
        app.MapWebSocket("/echo", sockets, Echo);
        app.MapWebSocket("/bare/echo", sockets, Echo);
        app.MapWebSocket("/mute", new WebSocketEndpointOptions { Connection = { KeepAliveInterval = Timeout.InfiniteTimeSpan } }, Echo);
        app.MapWebSocket("/close", sockets, async (connection, http) =>
        {
            await foreach (var message in connection.ReadAllAsync())
                await connection.CloseAsync((System.Net.WebSockets.WebSocketCloseStatus)4001, "the server's words");
            Closed[http.Request.Query["id"]!].SetResult(connection.CloseResult!.Value);
        });
        app.MapServerSentEvents("/count", streams, (request, _) => CountAfter(request.LastEventId));
        app.MapServerSentEvents("/hold", streams, async (events, _, http, closed) =>
        {
            await events.WriteAsync("first", id: "1", cancellationToken: closed);
            try
            {
                await Task.Delay(Timeout.Infinite, closed);
            }
            finally
            {
                if (http.Request.Query["id"] is { Count: 1 } id)
                    Gone[id!].SetResult();
            }
        });
        app.MapServerSentEvents("/silent", new ServerSentEventEndpointOptions { HeartbeatInterval = Timeout.InfiniteTimeSpan }, (_, closed) => Task.Delay(Timeout.Infinite, closed));
        app.MapTopics("/live", options => options.ServerSentEvents = streams);
    }

    private static async Task Echo(WebSocketConnection connection)
    {
        await foreach (var message in connection.ReadAllAsync())
            await connection.SendAsync(message.Payload, message.Type);
    }

    private static async IAsyncEnumerable<SseItem<string>> CountAfter(string? lastEventId, [EnumeratorCancellation] CancellationToken closed = default)
    {
        for (var n = int.TryParse(lastEventId, out var last) ? last + 1 : 1; ; n++)
        {
            yield return new SseItem<string>($"event {n}") { EventId = n.ToString(CultureInfo.InvariantCulture) };
            await Task.Delay(20, closed);
        }
    }
}
