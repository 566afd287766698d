using System.Buffers;
using System.IO.Pipelines;
using System.Net.WebSockets;

namespace RealtimeKit.WebSockets;

/// <summary>
/// A WebSocket connection at message level. Sends are safe from any thread and keep their order; one receive may be pending at a
/// time. While no receive is pending the connection reads ahead within a bound, so pings, pongs and closes are handled even when
/// the application is busy.
/// </summary>
/// <remarks>
/// <para>Cancelling a receive cancels the wait only: the connection stays usable, and the next receive goes on where it stopped.
/// <see cref="Abort"/> is what ends a connection at once.</para>
/// <para>A send completes when its frame is in the send buffer, not when the peer has it. It waits only while the buffer is over
/// its high-water mark (<see cref="WebSocketConnectionOptions.SendBufferSize"/>).</para>
/// </remarks>
public abstract partial class WebSocketConnection : IAsyncDisposable
{
    private protected WebSocketConnection()
    {
    }

    /// <summary>The subprotocol that the handshake agreed on; <see langword="null"/> where there is none (RFC 6455 §1.9).</summary>
    public abstract string? SubProtocol { get; }

    /// <summary>What the handshake agreed on about permessage-deflate (RFC 7692); <see langword="null"/> where nothing is compressed.</summary>
    public abstract PerMessageDeflateParameters? Compression { get; }

    /// <summary>The state of the closing handshake (RFC 6455 §7).</summary>
    public abstract WebSocketState State { get; }

    /// <summary>How the connection ended; <see langword="null"/> while it is open.</summary>
    public abstract WebSocketCloseResult? CloseResult { get; }

    /// <summary>
    /// Cancelled when the connection is over, whoever ended it: the place to stop the work that only this peer wanted. Its
    /// callbacks run on the thread pool.
    /// </summary>
    public abstract CancellationToken Closed { get; }

    /// <summary>
    /// How much memory the connection holds for its peer now, in bytes: what has arrived and is not consumed, what waits to be sent, that of
    /// senders who wait for room included, and the windows of compression. An estimate that any thread may ask for; an idle connection without
    /// context takeover holds nothing.
    /// </summary>
    public abstract long RetainedBytes { get; }

    /// <summary>When the last bytes arrived, of any kind of frame; when the connection was made, where there were none.</summary>
    public abstract DateTimeOffset LastReceived { get; }

    /// <summary>Runs a connection over a pair of pipes, after the opening handshake.</summary>
    /// <param name="transport">The connection's pipes. From here on nothing else may read or write them.</param>
    /// <param name="options">Role, limits and deadlines; the defaults where <see langword="null"/>.</param>
    /// <returns>The connection.</returns>
    public static WebSocketConnection Create(IDuplexPipe transport, WebSocketConnectionOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(transport);
        options = options?.Clone() ?? new WebSocketConnectionOptions();
        return new CodecWebSocketConnection(new PipeTransport(transport, options.LeaveOpen), options);
    }

    /// <summary>Runs a connection over a stream, after the opening handshake.</summary>
    /// <param name="transport">The connection's stream. From here on nothing else may read or write it.</param>
    /// <param name="options">Role, limits and deadlines; the defaults where <see langword="null"/>.</param>
    /// <returns>The connection.</returns>
    public static WebSocketConnection Create(Stream transport, WebSocketConnectionOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(transport);
        options = options?.Clone() ?? new WebSocketConnectionOptions();
        return new CodecWebSocketConnection(new StreamTransport(transport, options.LeaveOpen, flushes: true), options);
    }

    /// <summary>
    /// Runs a connection over a BCL socket, for hosts that give nothing else. Masking, pings and UTF-8 are the socket's business:
    /// <see cref="PingAsync"/> is not supported, keep-alive is the socket's own, and a violation by the peer shows as a lost connection.
    /// </summary>
    /// <param name="socket">An open socket. From here on nothing else may use it.</param>
    /// <param name="options">Limits and deadlines; the defaults where <see langword="null"/>. Role, subprotocol and keep-alive do not apply.</param>
    /// <returns>The connection.</returns>
    public static WebSocketConnection Create(WebSocket socket, WebSocketConnectionOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(socket);
        options = options?.Clone() ?? new WebSocketConnectionOptions();
        options.Role = WebSocketRole.Server;
        options.SubProtocol = socket.SubProtocol;
        options.CompressionParameters = null;
        return new CodecWebSocketConnection(new BclWebSocketTransport(socket, options.LeaveOpen), options);
    }

    /// <summary>Joins two connections in memory, a client and a server, for tests.</summary>
    /// <param name="options">Limits and deadlines of both; the role is set for each, and compression agreed on as it asks.</param>
    /// <returns>The two ends.</returns>
    public static (WebSocketConnection Client, WebSocketConnection Server) CreatePair(WebSocketConnectionOptions? options = null)
    {
        var toServer = new Pipe();
        var toClient = new Pipe();
        var clientOptions = options?.Clone() ?? new WebSocketConnectionOptions();
        if (clientOptions is { Compression: { } compression, CompressionParameters: null })
            clientOptions.CompressionParameters = PerMessageDeflateParameters.From(compression);
        var serverOptions = clientOptions.Clone();
        clientOptions.Role = WebSocketRole.Client;
        serverOptions.Role = WebSocketRole.Server;
        return (
            Create(new DuplexPipe(toClient.Reader, toServer.Writer), clientOptions),
            Create(new DuplexPipe(toServer.Reader, toClient.Writer), serverOptions));
    }

    /// <summary>Receives the next whole message.</summary>
    /// <param name="cancellationToken">Cancels the wait; the connection and a message that is under way are not touched.</param>
    /// <returns>
    /// The message, borrowed until the next receive begins; one of type <see cref="WebSocketMessageType.Close"/> once the
    /// connection has ended, in whichever way.
    /// </returns>
    /// <exception cref="WebSocketProtocolException">The peer broke a rule; the messages before that were delivered.</exception>
    /// <exception cref="InvalidOperationException">Another receive is pending or was not awaited, or a streamed message has not been read to its end.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public abstract ValueTask<WebSocketMessage> ReceiveAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Receives what has arrived of the next message, of any size, in bounded memory: at most 128 KiB at a time, or
    /// <see cref="WebSocketConnectionOptions.ReadAheadSize"/> where that is more, on top of what was not given back. Give the bytes back
    /// with <see cref="AdvanceTo"/> before the next read.
    /// </summary>
    /// <param name="cancellationToken">Cancels the wait only.</param>
    /// <returns>A part of the message, valid until <see cref="AdvanceTo"/>.</returns>
    /// <exception cref="WebSocketProtocolException">The peer broke a rule.</exception>
    /// <exception cref="InvalidOperationException">Another receive is pending or was not awaited, or the last part has not been given back.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public abstract ValueTask<WebSocketReadResult> ReadAsync(CancellationToken cancellationToken = default);

    /// <summary>Gives a part back. Bytes after <paramref name="consumed"/> are part of the next read.</summary>
    /// <param name="consumed">A position in the last part's payload.</param>
    /// <exception cref="InvalidOperationException">No part is lent out, or the position is not in it.</exception>
    public abstract void AdvanceTo(SequencePosition consumed);

    /// <summary>Sends a message.</summary>
    /// <param name="payload">The payload; it may be reused as soon as the send has completed.</param>
    /// <param name="type">Text (the payload must be UTF-8) or binary.</param>
    /// <param name="cancellationToken">Cancels the wait for room; a cancelled message is not sent at all.</param>
    /// <returns>A task that completes when the message is in the send buffer.</returns>
    /// <exception cref="WebSocketException">The connection is closing, closed or aborted.</exception>
    public abstract ValueTask SendAsync(ReadOnlyMemory<byte> payload, WebSocketMessageType type, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="SendAsync(ReadOnlyMemory{byte}, WebSocketMessageType, CancellationToken)"/>
    public abstract ValueTask SendAsync(ReadOnlySequence<byte> payload, WebSocketMessageType type, CancellationToken cancellationToken = default);

    /// <summary>Sends a message, with flags.</summary>
    /// <param name="payload">The payload; it may be reused as soon as the send has completed.</param>
    /// <param name="type">Text (the payload must be UTF-8) or binary.</param>
    /// <param name="flags">
    /// <see cref="WebSocketMessageFlags.DisableCompression"/> keeps this message out of permessage-deflate, which is what secrets need
    /// beside data that an attacker can choose. A message is always sent whole: <see cref="WebSocketMessageFlags.EndOfMessage"/>
    /// changes nothing.
    /// </param>
    /// <param name="cancellationToken">Cancels the wait for room; a cancelled message is not sent at all.</param>
    /// <returns>A task that completes when the message is in the send buffer.</returns>
    /// <exception cref="WebSocketException">The connection is closing, closed or aborted.</exception>
    public abstract ValueTask SendAsync(ReadOnlyMemory<byte> payload, WebSocketMessageType type, WebSocketMessageFlags flags, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="SendAsync(ReadOnlyMemory{byte}, WebSocketMessageType, WebSocketMessageFlags, CancellationToken)"/>
    public abstract ValueTask SendAsync(ReadOnlySequence<byte> payload, WebSocketMessageType type, WebSocketMessageFlags flags, CancellationToken cancellationToken = default);

    /// <summary>Sends a message that was encoded once for many connections.</summary>
    /// <param name="message">The message.</param>
    /// <param name="cancellationToken">Cancels the wait for room; a cancelled message is not sent at all.</param>
    /// <returns>A task that completes when the message is in the send buffer.</returns>
    /// <exception cref="WebSocketException">The connection is closing, closed or aborted.</exception>
    public abstract ValueTask SendAsync(PreparedWebSocketMessage message, CancellationToken cancellationToken = default);

    /// <summary>
    /// Sends a ping and waits for its pong (RFC 6455 §5.5.2). The pong comes behind what the peer has sent before: while nobody receives, no
    /// more than <see cref="WebSocketConnectionOptions.ReadAheadSize"/> of that is read. So a loop that receives calls this beside itself: awaited
    /// inside of it, it fails where the pong lies behind more than that. A peer that answers no pings, but lives, is waited for until the
    /// token is cancelled.
    /// </summary>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The round-trip time.</returns>
    /// <exception cref="WebSocketException">The connection ended before the pong came.</exception>
    /// <exception cref="TimeoutException">
    /// For <see cref="WebSocketConnectionOptions.KeepAliveTimeout"/> what was read ahead has been full and nobody has received, so that no pong
    /// could be read. The connection lives on.
    /// </exception>
    /// <exception cref="NotSupportedException">The connection wraps a BCL socket, which sends no pings on request.</exception>
    public abstract ValueTask<TimeSpan> PingAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Runs the closing handshake (RFC 6455 §7.1.2): sends a Close frame after everything already accepted, waits for the peer's,
    /// and always ends, at the latest after <see cref="WebSocketConnectionOptions.CloseTimeout"/>. While no receive is pending,
    /// messages that still arrive are discarded.
    /// </summary>
    /// <param name="status">A status that may stand on the wire (RFC 6455 §7.4); <see cref="WebSocketCloseStatus.Empty"/> sends none.</param>
    /// <param name="reason">A text of at most 123 bytes as UTF-8.</param>
    /// <param name="cancellationToken">Stops waiting for the peer, and aborts.</param>
    /// <returns>How the connection ended, also where the peer had closed it before.</returns>
    /// <exception cref="ArgumentException">The status must not be sent, the reason is too long, or a reason has no status.</exception>
    public abstract ValueTask<WebSocketCloseResult> CloseAsync(WebSocketCloseStatus status, string? reason = null, CancellationToken cancellationToken = default);

    /// <summary>As the other, with a code of one's own: 4000–4999 are an application's, 3000–3999 a library's, registered with IANA (RFC 6455 §7.4.2).</summary>
    /// <param name="code">The code; one of 1000–1003 and 1007–1014 is as good, what else must not stand on the wire is refused (RFC 6455 §7.4).</param>
    /// <param name="reason">A text of at most 123 bytes as UTF-8.</param>
    /// <param name="cancellationToken">Stops waiting for the peer, and aborts.</param>
    /// <returns>How the connection ended, also where the peer had closed it before.</returns>
    /// <exception cref="ArgumentException">The code must not be sent, or the reason is too long.</exception>
    public ValueTask<WebSocketCloseResult> CloseAsync(int code, string? reason = null, CancellationToken cancellationToken = default) =>
        CloseAsync(WebSocketCloseStatusExtensions.FromCode(code), reason, cancellationToken);

    /// <summary>Ends the connection at once, without a handshake. Pending operations end; it never blocks and never throws.</summary>
    public abstract void Abort();

    /// <summary>
    /// The connection as a BCL socket, for libraries that take one; <c>WebSocketStream</c> runs on it too. From here on the bridge
    /// receives, sends and closes, and nothing else may: it owns the connection, and disposing it ends the connection.
    /// </summary>
    /// <remarks>
    /// The contract is that of the BCL's own sockets, with these differences. Cancelling a receive cancels the wait only and leaves
    /// the socket open. A send completes when its frame is in the send buffer. A whole message whose wait for room is cancelled is not
    /// sent, and leaves the socket open; cancelling that of a fragment aborts the socket. <see cref="WebSocket.CloseAsync"/> gives up after
    /// <see cref="WebSocketConnectionOptions.CloseTimeout"/>. A Close frame with <see cref="WebSocketCloseStatus.Empty"/> carries no
    /// status, and codes that must not stand on the wire are refused (RFC 6455 §7.4). Fragments are sent as they are given, one frame
    /// each. <see cref="WebSocketConnectionOptions.MaxMessageSize"/> does not apply, as messages are handed out in parts;
    /// <see cref="WebSocketConnectionOptions.MaxStreamedMessageSize"/> does. After the peer's Close has arrived, messages before it wait for
    /// a receive for <see cref="WebSocketConnectionOptions.CloseTimeout"/>, counted from the last one, and are then discarded.
    /// </remarks>
    /// <returns>The socket: the same at each call.</returns>
    /// <exception cref="InvalidOperationException">The connection has been bridged to a pipe.</exception>
    public abstract WebSocket AsWebSocket();

    /// <summary>
    /// The connection as a stream of bytes, for protocols such as MQTT that frame themselves: the payloads of binary messages one after
    /// the other, whatever their borders. From here on the bridge receives, sends and closes, and nothing else may.
    /// </summary>
    /// <remarks>
    /// <para>Each flush of the output sends what was written since the last one as one binary message, and waits only for room in the
    /// send buffer. Completing the output sends the rest and closes with 1000, or with 1011 where it is completed with an exception.</para>
    /// <para>The input ends when the peer closes with 1000, 1001 or no status. Any other end completes it with a
    /// <see cref="WebSocketException"/>, and so does one before which something was discarded: while the input is not read, what arrives
    /// beyond 64 KiB is discarded once the output is completed, or once the peer has closed and
    /// <see cref="WebSocketConnectionOptions.CloseTimeout"/> has passed. A text message fails the connection with 1003. Once both are
    /// completed the connection is disposed.</para>
    /// </remarks>
    /// <returns>The pipe: the same at each call.</returns>
    /// <exception cref="InvalidOperationException">The connection has been bridged to a socket.</exception>
    public abstract IDuplexPipe AsDuplexPipe();

    /// <summary>
    /// Ends the connection in order: an open one is closed with 1000, one that broke a rule is given a moment to read why, and the
    /// transport is closed, server first (RFC 6455 §7.1.1).
    /// </summary>
    /// <returns>A task that completes when the connection holds nothing any more.</returns>
    public abstract ValueTask DisposeAsync();

    /// <summary>The bytes lent out under a version, or an exception when they have been taken back.</summary>
    internal abstract ReadOnlySequence<byte> GetLentPayload(uint version);

    /// <summary>As <see cref="ReceiveAsync"/>, in the form that an enumerator needs: whether there is a message.</summary>
    internal abstract ValueTask<bool> MoveNextAsync(CancellationToken cancellationToken);

    /// <summary>The message of the last successful <see cref="MoveNextAsync"/>.</summary>
    internal abstract WebSocketMessage Current { get; }

    private sealed class DuplexPipe(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
