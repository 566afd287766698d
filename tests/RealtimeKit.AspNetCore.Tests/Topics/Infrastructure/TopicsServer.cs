using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
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

    public static TopicHub Hub(this TestServerHost server) => server.App.Services.GetRequiredService<TopicHub>();

    /// <summary>Lets everybody publish.</summary>
    public static void AllowPublish(TopicsOptions topics) => topics.Default.AuthorizePublish = static _ => ValueTask.FromResult(true);
}
