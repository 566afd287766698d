using System.Buffers;
using System.Net.WebSockets;

namespace RealtimeKit.WebSockets;

/// <summary>A connection that runs this library's codec over a transport.</summary>
/// <remarks>
/// <para>Two gates, always taken in this order: the input gate guards parsing and the receive in progress, the output gate guards
/// the send buffer. Nothing foreign runs under them: callbacks, continuations and transport registrations wait until they are free.</para>
/// <para>There is no receive loop of its own. Whoever completes a transport read goes on: it hands a message to the waiting
/// receiver on the spot, or, when nobody waits, looks through what has arrived for control frames.</para>
/// </remarks>
internal sealed partial class CodecWebSocketConnection : WebSocketConnection
{
    private readonly WebSocketTransport _transport;
    private readonly WebSocketConnectionOptions _options;
    private readonly TimeProvider _clock;
    private readonly bool _isServer;
    private readonly bool _masks;
    private readonly WebSocketRole _readerRole;

    /// <param name="transport">The transport.</param>
    /// <param name="options">The options, which nobody changes from here on: connections of an endpoint share them.</param>
    /// <param name="subProtocol">What the handshake agreed on, where the options do not say.</param>
    /// <param name="compression">What the handshake agreed on, where the options do not say.</param>
    /// <param name="limiter">Limits what arrives, beside that of the options.</param>
    public CodecWebSocketConnection(
        WebSocketTransport transport, WebSocketConnectionOptions options, string? subProtocol = null, PerMessageDeflateParameters? compression = null,
        WebSocketRateLimiter? limiter = null)
    {
        _transport = transport;
        SubProtocol = subProtocol ?? options.SubProtocol;
        _clock = options.TimeProvider;
        _isServer = options.Role == WebSocketRole.Server;
        _masks = !_isServer;
        _readerRole = options.Role;
        _maxWrite = Math.Max(options.SendBufferSize, 64 * 1024);
        if (!transport.SeesControlFrames)
        {
            _masks = false;
            _maxWrite = int.MaxValue;   // it takes frames apart
            _readerRole = WebSocketRole.Client;   // which is what reads unmasked frames
            options = options.Clone();
            options.KeepAliveInterval = Timeout.InfiniteTimeSpan;
            options.MaxFragmentsPerMessage = int.MaxValue;   // parts of a receive, not the peer's fragments
        }
        else if ((compression ?? options.CompressionParameters) is { } parameters)
        {
            Compression = parameters;
            _deflate = new PerMessageDeflateSession(parameters, options.Compression ?? new PerMessageDeflateOptions(), _isServer);
        }

        _options = options;
        _onRead = OnReadCompleted;
        _lastReceived = _clock.GetTimestamp();
        _controlTokens = options.ControlFrameBurst;
        _controlRefilled = _lastReceived;
        _opened = _lastReceived;
        _rates = IncomingRates.Create(options, limiter ?? options.RateLimiter, _opened);
        _metrics = WebSocketMetrics.For(options.MeterFactory);
        _isCounted = _metrics.Open(_isServer);
        _budgeted = options.MemoryBudget?.Add(this);
        _timer = new Timer(this);
        _wheel = TimerWheel.For(_clock);
        _wheel.Schedule(_timer, TimerWheel.Tick);
    }

    public override string? SubProtocol { get; }

    public override PerMessageDeflateParameters? Compression { get; }

    public override WebSocketState State
    {
        get
        {
            if (Volatile.Read(ref _ending) is { } ending)
                return ending.IsAborted ? WebSocketState.Aborted : WebSocketState.Closed;
            return _closeSent ? WebSocketState.CloseSent : _closeAhead || _closeReceived ? WebSocketState.CloseReceived : WebSocketState.Open;
        }
    }

    internal override ReadOnlySequence<byte> GetLentPayload(uint version)
    {
        if (version == _version && !_input.IsLent && _receivedType == WebSocketMessageType.Close)
            return ReadOnlySequence<byte>.Empty;
        if (version != _version || !_input.IsLent)
            throw new InvalidOperationException("The payload was borrowed, and the next receive has taken it back. Copy what must live longer.");
        return _input.Lent;
    }
}
