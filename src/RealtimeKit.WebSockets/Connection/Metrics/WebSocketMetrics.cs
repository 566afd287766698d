using System.Diagnostics.Metrics;
using System.Net.WebSockets;
using System.Runtime.CompilerServices;

namespace RealtimeKit.WebSockets;

/// <summary>
/// The instruments of one meter. Every tag is a string that exists already, so that measuring allocates nothing, and there are few of
/// them: nothing that a peer chooses freely becomes one.
/// </summary>
/// <remarks>Listeners are foreign code: nothing here is called under a gate.</remarks>
internal sealed class WebSocketMetrics
{
    private const string MeterName = "RealtimeKit.WebSockets";
    private const string RoleTag = "realtimekit.websocket.role";
    private const string TypeTag = "realtimekit.websocket.message.type";
    private const string DirectionTag = "network.io.direction";

    private static readonly string? Version = typeof(WebSocketMetrics).Assembly.GetName().Version?.ToString(3);
    private static readonly Lazy<WebSocketMetrics> Shared = new(static () => new WebSocketMetrics(new Meter(MeterName, Version)));
    private static readonly ConditionalWeakTable<IMeterFactory, WebSocketMetrics> OfFactories = [];

    private static readonly KeyValuePair<string, object?> Received = new(DirectionTag, "receive");
    private static readonly KeyValuePair<string, object?> Sent = new(DirectionTag, "transmit");
    private static readonly KeyValuePair<string, object?> Text = new(TypeTag, "text");
    private static readonly KeyValuePair<string, object?> Binary = new(TypeTag, "binary");
    private static readonly KeyValuePair<string, object?> Server = new(RoleTag, "server");
    private static readonly KeyValuePair<string, object?> Client = new(RoleTag, "client");

    private readonly UpDownCounter<long> _connections;
    private readonly Histogram<double> _duration;
    private readonly Counter<long> _messages;
    private readonly Counter<long> _bytes;
    private readonly Counter<long> _errors;
    private readonly UpDownCounter<long> _sendQueue;
    private readonly Histogram<double> _pings;
    private readonly Histogram<double> _inflateRatio;
    private readonly Counter<long> _throttled;
    private readonly Counter<long> _shed;
    private long _retained;

    private WebSocketMetrics(Meter meter)
    {
        _connections = meter.CreateUpDownCounter<long>("realtimekit.websocket.active_connections", "{connection}", "Connections that are open.");
        _duration = meter.CreateHistogram(
            "realtimekit.websocket.connection.duration", "s", "How long connections that have ended were open, and how they ended.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.01, 0.1, 1, 5, 10, 30, 60, 300, 600, 1800, 3600, 14400, 86400] });
        _throttled = meter.CreateCounter<long>("realtimekit.websocket.throttled", "{wait}", "Times that a peer had to wait because it sent faster than its limits allow.");
        _shed = meter.CreateCounter<long>("realtimekit.websocket.memory.shed", "{connection}", "Connections ended because their memory budget was used up.");
        meter.CreateObservableUpDownCounter(
            "realtimekit.websocket.memory.retained", () => Volatile.Read(ref _retained), "By",
            "Memory that connections hold for their peers, to within 8 KiB for each.");
        _messages = meter.CreateCounter<long>("realtimekit.websocket.messages", "{message}", "Messages that have arrived whole, or were handed to the transport.");
        _bytes = meter.CreateCounter<long>("realtimekit.websocket.io", "By", "Bytes on the wire: headers, control frames, and payload as it is compressed.");
        _errors = meter.CreateCounter<long>("realtimekit.websocket.protocol_errors", "{error}", "Connections failed because the peer broke a rule or a limit.");
        _sendQueue = meter.CreateUpDownCounter<long>("realtimekit.websocket.send_queue", "By", "Frames that were accepted and that the transport has not yet taken, where it did not take them at once.");
        _pings = meter.CreateHistogram(
            "realtimekit.websocket.ping.duration", "s", "From a ping to its pong, keep-alive included.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] });
        _inflateRatio = meter.CreateHistogram(
            "realtimekit.websocket.inflate.ratio", "1", "How many times its size on the wire a compressed message that arrived has.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.5, 1, 1.5, 2, 3, 4, 6, 8, 12, 20, 50, 100, 500, 1000] });
    }

    /// <summary>Whether anybody wants to know who has to wait.</summary>
    public bool MeasuresThrottling => _throttled.Enabled;

    /// <summary>Whether anybody wants to know what is received.</summary>
    public bool MeasuresReceived => _bytes.Enabled || _messages.Enabled || _inflateRatio.Enabled;

    /// <summary>Whether anybody wants to know what is sent.</summary>
    public bool MeasuresSent => _bytes.Enabled || _messages.Enabled;

    /// <summary>Whether anybody wants to know how many bytes wait.</summary>
    public bool MeasuresQueue => _sendQueue.Enabled;

    /// <summary>Whether anybody wants to know how long pongs take.</summary>
    public bool MeasuresPings => _pings.Enabled;

    /// <summary>Whether anybody wants to know how connections end.</summary>
    public bool MeasuresEnds => _duration.Enabled;

    /// <summary>Whether anybody wants to know which rules are broken.</summary>
    public bool MeasuresErrors => _errors.Enabled;

    /// <summary>The instruments of a host's meters, or those of the process where there is none.</summary>
    public static WebSocketMetrics For(IMeterFactory? factory) => factory is null
        ? Shared.Value
        : OfFactories.GetValue(factory, static factory => new WebSocketMetrics(factory.Create(new MeterOptions(MeterName) { Version = Version })));

    /// <summary>Counts a connection that opens.</summary>
    /// <returns>Whether it was counted: only then <see cref="Close"/> takes it off, so that the two balance.</returns>
    public bool Open(bool isServer)
    {
        if (!_connections.Enabled)
            return false;
        _connections.Add(1, Role(isServer));
        return true;
    }

    /// <summary>Takes a connection off that was counted.</summary>
    public void Close(bool isServer) => _connections.Add(-1, Role(isServer));

    /// <summary>A connection has ended.</summary>
    public void End(bool isServer, TimeSpan duration, in WebSocketCloseResult result) => _duration.Record(
        duration.TotalSeconds,
        Role(isServer),
        new("realtimekit.websocket.close.code", CloseCode(result)),
        new("realtimekit.websocket.close.initiator", result.Initiator switch
        {
            WebSocketCloseInitiator.Local => "local",
            WebSocketCloseInitiator.Remote => "remote",
            _ => "network",
        }));

    /// <summary>A connection was failed.</summary>
    public void Fail(bool isServer, WebSocketProtocolError error) => _errors.Add(1, Role(isServer), new("error.type", ErrorNames[(int)error]));

    /// <summary>What has arrived since the last call.</summary>
    public void Receive(bool isServer, in WebSocketTraffic traffic)
    {
        Count(isServer, Received, traffic);
        if (traffic.InflateRatio > 0)
            _inflateRatio.Record(traffic.InflateRatio, Role(isServer));
    }

    /// <summary>What was handed to the transport.</summary>
    public void Send(bool isServer, in WebSocketTraffic traffic) => Count(isServer, Sent, traffic);

    /// <summary>More or fewer bytes wait.</summary>
    public void Queue(bool isServer, long change) => _sendQueue.Add(change, Role(isServer));

    /// <summary>A peer has to wait because it sends too fast.</summary>
    public void Throttle(bool isServer) => _throttled.Add(1, Role(isServer));

    /// <summary>A connection is ended because memory is short.</summary>
    public void Shed(bool isServer) => _shed.Add(1, Role(isServer));

    /// <summary>More or fewer bytes are held. Always counted: whoever begins to look later sees all of it. Called under any gate.</summary>
    public void Retain(long change) => Interlocked.Add(ref _retained, change);

    /// <summary>A pong has come.</summary>
    public void Pong(bool isServer, TimeSpan roundTrip) => _pings.Record(roundTrip.TotalSeconds, Role(isServer));

    private void Count(bool isServer, KeyValuePair<string, object?> direction, in WebSocketTraffic traffic)
    {
        if (traffic.Bytes > 0)
            _bytes.Add(traffic.Bytes, Role(isServer), direction);
        if (traffic.TextMessages > 0)
            _messages.Add(traffic.TextMessages, Role(isServer), direction, Text);
        if (traffic.BinaryMessages > 0)
            _messages.Add(traffic.BinaryMessages, Role(isServer), direction, Binary);
    }

    private static KeyValuePair<string, object?> Role(bool isServer) => isServer ? Server : Client;

    private static string[] ErrorNames { get; } = Enum.GetNames<WebSocketProtocolError>();

    // Applications have two thousand codes of their own (RFC 6455 §7.4.2), and so has a hostile peer: only the defined ones stay apart.
    private static string CloseCode(in WebSocketCloseResult result) => (int?)result.Status switch
    {
        null => "1006",   // RFC 6455 §7.1.5: no Close frame came
        >= 1000 and <= 1015 and var code => DefinedCodes[code - 1000],
        >= 3000 and < 4000 => "3xxx",
        >= 4000 and < 5000 => "4xxx",
        _ => "other",
    };

    private static string[] DefinedCodes { get; } = [.. Enumerable.Range(1000, 16).Select(code => $"{code}")];
}
