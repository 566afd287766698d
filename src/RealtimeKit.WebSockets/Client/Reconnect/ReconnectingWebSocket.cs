using System.Net;
using System.Net.WebSockets;

namespace RealtimeKit.WebSockets;

/// <summary>
/// A client that connects again when its connection is lost, with growing delays, until it is closed or an error is permanent. It begins
/// with the first connect, receive or send.
/// </summary>
/// <remarks>
/// Thread-safe as <see cref="WebSocketConnection"/> is: any number of senders, one reader. What it cannot know is which of the messages in
/// flight arrived when a connection was lost: a protocol on top that needs to know acknowledges them.
/// </remarks>
public sealed partial class ReconnectingWebSocket : IAsyncDisposable
{
    private readonly Uri _uri;
    private readonly ReconnectingWebSocketOptions _options;
    private readonly TimeProvider _clock;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private readonly Queue<WebSocketConnection> _unread = [];
    private TaskCompletionSource _changed = NewSignal();
    private volatile WebSocketConnection? _current;
    private volatile Exception? _lastError;
    private volatile CloseRequest? _closeRequest;
    private Exception? _fatal;
    private volatile ReconnectingWebSocketState _state;
    private Task? _run;

    /// <summary>Creates a client; nothing is connected yet.</summary>
    /// <param name="uri">An absolute URI with the scheme ws or wss.</param>
    /// <param name="options">How to connect; the defaults where <see langword="null"/>.</param>
    public ReconnectingWebSocket(Uri uri, ReconnectingWebSocketOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(uri);
        _uri = uri;
        _options = options?.Clone() ?? new ReconnectingWebSocketOptions();
        _clock = _options.Client.Connection.TimeProvider;
    }

    /// <summary>
    /// Raised after each change of <see cref="State"/>, in order, by the task that connects: a handler that blocks holds it up, and one
    /// that throws ends the socket.
    /// </summary>
    public event EventHandler<ReconnectingWebSocketState>? StateChanged;

    /// <summary>What it is doing.</summary>
    public ReconnectingWebSocketState State => _state;

    /// <summary>The connection while it is open, such as for a ping; <see langword="null"/> otherwise.</summary>
    public WebSocketConnection? Current => _current;

    /// <summary>Why the last connect failed or the last connection was lost; <see langword="null"/> while all is well.</summary>
    public Exception? LastError => _lastError;

    /// <summary>Connects, however many attempts it takes.</summary>
    /// <param name="cancellationToken">Cancels the wait only.</param>
    /// <returns>A task that completes when there is a connection.</returns>
    /// <exception cref="WebSocketConnectException">A connect failed with an error that is permanent.</exception>
    /// <exception cref="WebSocketException">The socket has been closed.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public async Task ConnectAsync(CancellationToken cancellationToken = default)
    {
        Start();
        await WhenOpenAsync(except: null, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Stops for good, and runs the closing handshake where there is a connection. It always ends.</summary>
    /// <param name="status">A status that may stand on the wire.</param>
    /// <param name="reason">A text of at most 123 bytes as UTF-8.</param>
    /// <param name="cancellationToken">Stops waiting for the peer, and aborts.</param>
    /// <returns>How the last connection ended; <see langword="null"/> where there was none.</returns>
    /// <exception cref="ArgumentException">The status must not be sent, or the reason is too long.</exception>
    public async Task<WebSocketCloseResult?> CloseAsync(WebSocketCloseStatus status, string? reason = null, CancellationToken cancellationToken = default)
    {
        if (status != WebSocketCloseStatus.Empty)
            WebSocketClosePayload.Write(stackalloc byte[WebSocketClosePayload.MaxLength], status, reason);
        Interlocked.CompareExchange(ref _closeRequest, new CloseRequest(status, reason, cancellationToken), null);
        await _stop.CancelAsync().ConfigureAwait(false);
        var result = default(WebSocketCloseResult?);
        if (_current is { } connection)
            result = await connection.CloseAsync(status, reason, cancellationToken).ConfigureAwait(false);
        Start();
        await _run!.ConfigureAwait(false);
        return result ?? _closeRequest!.Closed?.CloseResult;
    }

    /// <summary>As the other, with a code of one's own: 4000–4999 are an application's (RFC 6455 §7.4.2).</summary>
    /// <param name="code">The code.</param>
    /// <param name="reason">A text of at most 123 bytes as UTF-8.</param>
    /// <param name="cancellationToken">Stops waiting for the peer, and aborts.</param>
    /// <returns>How the last connection ended; <see langword="null"/> where there was none.</returns>
    /// <exception cref="ArgumentException">The code must not be sent (RFC 6455 §7.4), or the reason is too long.</exception>
    public Task<WebSocketCloseResult?> CloseAsync(int code, string? reason = null, CancellationToken cancellationToken = default) =>
        CloseAsync(WebSocketCloseStatusExtensions.FromCode(code), reason, cancellationToken);

    /// <summary>Stops for good; an open connection is closed with 1000.</summary>
    /// <returns>A task that completes when nothing is left.</returns>
    public async ValueTask DisposeAsync()
    {
        await CloseAsync(WebSocketCloseStatus.NormalClosure).ConfigureAwait(false);
        while (TryTakeUnread(out var connection))
            await connection.DisposeAsync().ConfigureAwait(false);
    }

    private void Start()
    {
        lock (_lock)
            _run ??= Task.Run(RunAsync);
    }

    private async Task RunAsync()
    {
        try
        {
            _fatal = await ReconnectAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The application has closed it.
        }
        catch (Exception error)
        {
            // A callback has thrown: whoever sends, receives or connects is told.
            _fatal = error;
            _current?.Abort();
        }

        _lastError = _fatal;
        _current = null;
        _state = ReconnectingWebSocketState.Closed;
        Signal();
        try
        {
            StateChanged?.Invoke(this, ReconnectingWebSocketState.Closed);
        }
        catch (Exception error)
        {
            _lastError ??= error;
        }
    }

    // What it ended with: null where the peer closed for good.
    private async Task<Exception?> ReconnectAsync()
    {
        var failures = 0;
        var wasUnauthorized = false;
        while (true)
        {
            _stop.Token.ThrowIfCancellationRequested();
            var (connection, error) = await TryConnectAsync(failures).ConfigureAwait(false);
            if (connection is not null)
            {
                var started = _clock.GetTimestamp();
                await UseAsync(connection).ConfigureAwait(false);
                if (_clock.GetElapsedTime(started) >= _options.ResetThreshold)
                    failures = 0;
            }

            failures++;
            var isUnauthorized = error is WebSocketConnectException { StatusCode: HttpStatusCode.Unauthorized };
            var mayAuthenticate = isUnauthorized && !wasUnauthorized && _options.OnConnecting is not null;
            wasUnauthorized = isUnauthorized;
            var disconnect = new WebSocketDisconnect(connection?.CloseResult, error, failures, mayAuthenticate || IsTransient(connection?.CloseResult, error));
            _lastError = error ?? Lost(connection!.CloseResult);
            _stop.Token.ThrowIfCancellationRequested();
            if (failures >= _options.MaxFailures || !(_options.ShouldReconnect?.Invoke(disconnect) ?? disconnect.IsTransient))
                return connection?.CloseResult is { Initiator: WebSocketCloseInitiator.Remote, Status: WebSocketCloseStatus.NormalClosure } ? null : _lastError;

            SetState(ReconnectingWebSocketState.Waiting);
            await Task.Delay(_options.GetDelay(failures, (error as WebSocketConnectException)?.RetryAfter), _clock, _stop.Token).ConfigureAwait(false);
            await WhenReaderIsNearAsync().ConfigureAwait(false);
        }
    }

    private async Task<(WebSocketConnection? Connection, Exception? Error)> TryConnectAsync(int failures)
    {
        SetState(ReconnectingWebSocketState.Connecting);
        var attempt = new WebSocketConnectAttempt(_uri, _options.Client.Clone(), failures, _lastError);
        if (_options.OnConnecting is { } onConnecting)
            await UntilStopAsync(onConnecting(attempt, _stop.Token)).ConfigureAwait(false);
        WebSocketConnection? connection = null;
        try
        {
            connection = await _options.Connect(attempt.Uri, attempt.Options, _stop.Token).ConfigureAwait(false);
            if (_options.OnConnected is { } onConnected)
                await UntilStopAsync(onConnected(connection, _stop.Token)).ConfigureAwait(false);
            return (connection, null);
        }
        catch (Exception error)
        {
            if (connection is not null)
                await connection.DisposeAsync().ConfigureAwait(false);
            if (error is not (IOException or WebSocketException))
                throw;
            return (null, error);
        }
    }

    // A callback may close the socket itself, and wait for it, or may not look at its token.
    private async Task UntilStopAsync(ValueTask call)
    {
        var task = call.AsTask();
        try
        {
            await task.WaitAsync(_stop.Token).ConfigureAwait(false);
        }
        finally
        {
            _ = task.ContinueWith(static task => task.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    // Lets others use a connection until it has ended.
    private async Task UseAsync(WebSocketConnection connection)
    {
        var ended = NewSignal();
        using var registration = connection.Closed.UnsafeRegister(static ended => ((TaskCompletionSource)ended!).TrySetResult(), ended);
        lock (_lock)
        {
            _unread.Enqueue(connection);
            _lastError = null;
            _current = connection;
        }

        Signal();
        SetState(ReconnectingWebSocketState.Open);
        // Who closes while this was connecting has seen no connection to close.
        if (_stop.IsCancellationRequested)
            _closeRequest!.Close(connection);
        await ended.Task.ConfigureAwait(false);
        _current = null;

        // Nobody is going to read this one, nor those before it that a reader has left.
        lock (_lock)
        {
            while (!_isReading && _unread.TryDequeue(out var unread))
                _ = unread.DisposeAsync().AsTask();
        }
    }

    // The first that asks decides how.
    private sealed record CloseRequest(WebSocketCloseStatus Status, string? Reason, CancellationToken CancellationToken)
    {
        public WebSocketConnection? Closed { get; private set; }

        public void Close(WebSocketConnection connection)
        {
            Closed = connection;
            _ = connection.CloseAsync(Status, Reason, CancellationToken).AsTask();
        }
    }

    private static bool IsTransient(WebSocketCloseResult? result, Exception? error) => error switch
    {
        WebSocketConnectException connect => connect.IsTransient,
        not null => true,
        null => result switch
        {
            // This side found the peer at fault, or the peer this side: the next connection would end the same way.
            { Initiator: WebSocketCloseInitiator.Local, IsClean: false, Status: { } status } => !IsFault(status),
            { Initiator: WebSocketCloseInitiator.Remote, Status: { } status } => status != WebSocketCloseStatus.NormalClosure && !IsFault(status),
            _ => true,
        },
    };

    private static bool IsFault(WebSocketCloseStatus status) => (int)status is 1002 or 1003 or (>= 1007 and <= 1010) or 3000 or 3003;

    private static WebSocketException Lost(WebSocketCloseResult? result) => result switch
    {
        { Status: { } status, Initiator: WebSocketCloseInitiator.Remote } => new WebSocketException(WebSocketError.Faulted, $"The peer closed the WebSocket connection with {(int)status}."),
        { Status: { } status, Initiator: WebSocketCloseInitiator.Local } => new WebSocketException(WebSocketError.Faulted, $"The WebSocket connection was closed with {(int)status}."),
        _ => new WebSocketException(WebSocketError.ConnectionClosedPrematurely, "The WebSocket connection was lost."),
    };

    private void SetState(ReconnectingWebSocketState state)
    {
        _state = state;
        StateChanged?.Invoke(this, state);
    }

    // Everybody who waits looks again.
    private void Signal()
    {
        TaskCompletionSource changed;
        lock (_lock)
        {
            changed = _changed;
            _changed = NewSignal();
        }

        changed.SetResult();
    }

    private Task Changed
    {
        get
        {
            lock (_lock)
                return _changed.Task;
        }
    }

    private async Task<WebSocketConnection> WhenOpenAsync(WebSocketConnection? except, CancellationToken cancellationToken)
    {
        while (true)
        {
            var changed = Changed;
            if (_current is { } connection && connection != except)
                return connection;
            if (_state == ReconnectingWebSocketState.Closed)
                throw Over();
            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private Exception Over() => _fatal switch
    {
        WebSocketConnectException error => error,
        var error => new WebSocketException(WebSocketError.InvalidState, "The WebSocket is closed for good.", error),
    };

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
