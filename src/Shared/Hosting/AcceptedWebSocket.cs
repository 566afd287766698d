using System.Net.WebSockets;
using RealtimeKit.WebSockets;

namespace RealtimeKit;

/// <summary>
/// A connection and the request that it lives in: what the registry lists, and the only way in which a connection reaches its
/// request, so that none does once the request has ended and its objects serve another.
/// </summary>
internal sealed class AcceptedWebSocket(HostContext context) : IAbortable, IOpenConnection
{
    private HostContext? _context = context;
    private ConnectionRegistry? _registry;
    private RequestRateLimiter? _limiter;

    public CodecWebSocketConnection Connection { get; private set; } = null!;

    IOpenConnection? IOpenConnection.NextOpen { get; set; }

    IOpenConnection? IOpenConnection.PreviousOpen { get; set; }

    public void Start(CodecWebSocketConnection connection, ConnectionRegistry? registry, RequestRateLimiter? limiter = null)
    {
        Connection = connection;
        _limiter = limiter;
        _registry = registry;
        registry?.Add(this);
    }

    /// <summary>Closes with 1001; at the deadline the connection is aborted.</summary>
    public async Task GoAwayAsync(CancellationToken deadline)
    {
        try
        {
            await Connection.CloseAsync(WebSocketCloseStatus.EndpointUnavailable, cancellationToken: deadline).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // CloseAsync has aborted the connection.
        }
    }

    /// <summary>Ends the transport at once. Disposing Kestrel's stream would do nothing.</summary>
    public void Abort()
    {
        // Under the lock: Release waits until an abort that has begun is done with this request.
        lock (this)
            _context?.Abort();
    }

    void IOpenConnection.Abort()
    {
        Connection.Abort();
        Abort();   // a handler that is busy with something else looks at its request
    }

    /// <summary>Lets the request go.</summary>
    public void Release()
    {
        _registry?.Remove(this);
        _limiter?.Dispose();
        lock (this)
            _context = null;
    }
}
