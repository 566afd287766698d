using System.Net.Sockets;
using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using RealtimeKit.Topics;

namespace RealtimeKit.AspNetCore.Tests.Topics;

/// <summary>A server with topics at /live. The header X-User says who asks.</summary>
internal static class TopicsServer
{
    public static Task<TestServerHost> StartAsync(
        Wire wire,
        Action<TopicsOptions>? topics = null,
        Action<TopicEndpointOptions>? endpoint = null,
        Action<WebApplication>? map = null,
        ITopicEngine? engine = null,
        Action<WebApplicationBuilder>? build = null,
        Action<KestrelServerOptions>? kestrel = null) =>
        TestServerHost.StartAsync(
            wire,
            app =>
            {
                app.Use((context, next) =>
                {
                    if (context.Request.Headers["X-User"] is [var name])
                        context.User = new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, name!)], "test"));
                    return next(context);
                });
                map?.Invoke(app);
                app.MapTopics("/live", options =>
                {
                    options.WebSockets.ForceStream = wire.IsStream();
                    endpoint?.Invoke(options);
                });
            },
            builder =>
            {
                if (engine is not null)
                    builder.Services.AddSingleton(engine);
                builder.Services.AddTopics(topics);
                build?.Invoke(builder);
            },
            kestrel);

    /// <summary>One whose buffers are small, so that a client that does not read is felt.</summary>
    public static Task<TestServerHost> StartNarrowAsync(Action<TopicsOptions> topics, Action<TopicEndpointOptions> endpoint) => StartAsync(
        Wire.Pipes,
        topics,
        endpoint,
        build: builder => builder.WebHost.UseSockets(sockets =>
        {
            sockets.MaxWriteBufferSize = 8 * 1024;
            sockets.CreateBoundListenSocket = endpoint =>
            {
                var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
                socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.SendBuffer, 8 * 1024);
                return socket;
            };
        }),
        kestrel: server => server.Limits.MaxResponseBufferSize = 8 * 1024);

    public static TopicHub Hub(this TestServerHost server) => server.App.Services.GetRequiredService<TopicHub>();

    /// <summary>Lets everybody publish.</summary>
    public static void AllowPublish(TopicsOptions topics) => topics.Default.AuthorizePublish = static _ => ValueTask.FromResult(true);
}
