using System.Net;

namespace RealtimeKit.Listener;

/// <summary>A request that is neither WebSocket nor event stream: a drain lets it finish, and aborts it at the deadline.</summary>
internal sealed class PlainRequest(HttpListenerContext context) : IOpenConnection
{
    IOpenConnection? IOpenConnection.NextOpen { get; set; }

    IOpenConnection? IOpenConnection.PreviousOpen { get; set; }

    public Task GoAwayAsync(CancellationToken deadline) => Task.CompletedTask;

    public void Expire()
    {
    }

    public void Abort() => context.Abort();
}
