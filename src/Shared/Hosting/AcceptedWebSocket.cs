using System.Net.WebSockets;
using RealtimeKit.WebSockets;

namespace RealtimeKit;

/// <summary>
/// A connection and the request that it lives in: what the registry lists, and the only way in which a connection reaches its
/// request, so that none does once the request has ended and its objects serve another.
/// </summary>
internal sealed class AcceptedWebSocket(HostContext context) : IAbortable, IOpenConnection
{
    /// <summary>The status with which a connection is closed whose authentication has expired. Of those for private use (RFC 6455 §7.4.2).</summary>
    public const WebSocketCloseStatus AuthenticationExpired = (WebSocketCloseStatus)4401;

    private HostContext? _context = context;
    private ConnectionRegistry? _registry;
    private IConnectionSession? _session;

    /// <summary>Who it belongs to; <see langword="null"/> where nobody signed in.</summary>
    public string? UserId => _session?.UserId;
    private RequestRateLimiter? _limiter;

    public CodecWebSocketConnection Connection { get; private set; } = null!;

    IOpenConnection? IOpenConnection.NextOpen { get; set; }

    IOpenConnection? IOpenConnection.PreviousOpen { get; set; }

    public void Start(CodecWebSocketConnection connection, ConnectionRegistry? registry, IConnectionSession? session, RequestRateLimiter? limiter = null)
    {
        Connection = connection;
        _limiter = limiter;
        _registry = registry;
        _session = session;
        registry?.Add(this);
        session?.Start(this);
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

    public void Expire() => _ = ExpireAsync();

    private async Task ExpireAsync()
    {
        try
        {
            await Connection.CloseAsync(AuthenticationExpired, "authentication expired").ConfigureAwait(false);
        }
#pragma warning disable CA1031 // It has ended by itself.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
    }

    /// <summary>Does something with the request, unless it has been let go.</summary>
    public void With(Action<HostContext> use)
    {
        lock (this)
        {
            if (_context is { } context)
                use(context);
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
        _session?.Dispose();
        _limiter?.Dispose();
        lock (this)
            _context = null;
    }
}
