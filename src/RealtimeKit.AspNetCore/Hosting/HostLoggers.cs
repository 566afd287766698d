using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace RealtimeKit.AspNetCore;

/// <summary>The loggers of this package. Their categories are what applications filter by.</summary>
internal static class HostLoggers
{
    public static ILogger WebSockets(IServiceProvider services) => Create(services, "RealtimeKit.AspNetCore.WebSocketEndpoint");

    public static ILogger ServerSentEvents(IServiceProvider services) => Create(services, "RealtimeKit.AspNetCore.ServerSentEventEndpoint");

    public static ILogger Topics(IServiceProvider services) => Create(services, "RealtimeKit.AspNetCore.TopicEndpoint");

    public static ILogger Tickets(IServiceProvider services) => Create(services, "RealtimeKit.AspNetCore.TicketEndpoint");

    private static ILogger Create(IServiceProvider services, string category) => services.GetRequiredService<ILoggerFactory>().CreateLogger(category);
}
