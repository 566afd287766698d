using System.Text;
using Microsoft.AspNetCore.SignalR;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>A SignalR group with the JSON protocol over WebSockets; every connection joins as it comes.</summary>
internal sealed class SignalRGroup : IFanOut
{
    private const string Group = "all";

    private static int _subscribers;

    private IHubContext<Subscription>? _hub;

    public int Subscribers => Volatile.Read(ref _subscribers);

    public static ISignalRServerBuilder AddServices(IServiceCollection services) => services.AddSignalR(options =>
    {
        // The load never pings.
        options.ClientTimeoutInterval = TimeSpan.FromHours(1);
        options.KeepAliveInterval = TimeSpan.FromMinutes(2);
    });

    public void Map(WebApplication app)
    {
        app.MapHub<Subscription>("/ws");
        _hub = app.Services.GetRequiredService<IHubContext<Subscription>>();
    }

    public ValueTask PublishAsync(ReadOnlyMemory<byte> message) =>
        new(_hub!.Clients.Group(Group).SendAsync("m", Encoding.ASCII.GetString(message.Span)));

    private sealed class Subscription : Hub
    {
        public override async Task OnConnectedAsync()
        {
            await Groups.AddToGroupAsync(Context.ConnectionId, Group);
            Interlocked.Increment(ref _subscribers);
        }

        public override Task OnDisconnectedAsync(Exception? exception)
        {
            Interlocked.Decrement(ref _subscribers);
            return Task.CompletedTask;
        }
    }
}
