using System.Buffers;
using System.IO.Pipelines;
using System.Net.WebSockets;

namespace RealtimeKit.WebSockets;

/// <summary>A connection as a stream of bytes in binary messages.</summary>
internal sealed class ConnectionPipe : IDuplexPipe
{
    private readonly CodecWebSocketConnection _connection;
    private readonly Pipe _input = new(new PipeOptions(useSynchronizationContext: false));
    private readonly ConnectionPipeWriter _output;
    private int _isStarted;

    public ConnectionPipe(CodecWebSocketConnection connection)
    {
        _connection = connection;
        _output = new ConnectionPipeWriter(connection);
    }

    public PipeReader Input => _input.Reader;

    public PipeWriter Output => _output;

    /// <summary>Begins to receive, once.</summary>
    public ConnectionPipe Start()
    {
        if (Interlocked.Exchange(ref _isStarted, 1) == 0)
            _ = ReceiveAsync();
        return this;
    }

    private async Task ReceiveAsync()
    {
        Exception? failure;
        try
        {
            failure = await CopyAsync().ConfigureAwait(false);
        }
        catch (Exception error)
        {
            // Whatever it is, the reader is to see it.
            failure = error;
        }

        await _input.Writer.CompleteAsync(failure).ConfigureAwait(false);
        await _output.Completed.ConfigureAwait(false);
        await _connection.DisposeAsync().ConfigureAwait(false);
    }

    // What the input is to end with.
    private async Task<Exception?> CopyAsync()
    {
        while (true)
        {
            var part = await _connection.ReadAsync().ConfigureAwait(false);
            switch (part.MessageType)
            {
                case WebSocketMessageType.Close:
                    return _connection.HasDiscarded ? Discarded() : EndOf(_connection.CloseResult);

                case WebSocketMessageType.Text:
                    // A peer that sends text does not speak what runs over this pipe.
                    _ = _connection.CloseAsync(WebSocketCloseStatus.InvalidMessageType, "This takes binary messages only.").AsTask();
                    return new WebSocketException(WebSocketError.InvalidMessageType, "The peer sent a text message where only binary ones are taken.");
            }

            var payload = part.Payload;
            foreach (var segment in payload)
                _input.Writer.Write(segment.Span);
            _connection.AdvanceTo(payload.End);
            if ((await _input.Writer.FlushAsync().ConfigureAwait(false)).IsCompleted)
                return null;   // the reader wants no more
        }
    }

    // However orderly the connection has ended, its reader must not take the rest for the whole.
    private static WebSocketException Discarded() =>
        new(WebSocketError.ConnectionClosedPrematurely, "The connection was closed while the input was not read: what still arrived was discarded.");

    private static WebSocketException? EndOf(WebSocketCloseResult? result) => result switch
    {
        { Initiator: WebSocketCloseInitiator.Local, IsClean: true } => null,
        { Initiator: WebSocketCloseInitiator.Remote, Status: WebSocketCloseStatus.NormalClosure or WebSocketCloseStatus.EndpointUnavailable or WebSocketCloseStatus.Empty } => null,
        { Status: { } status, Initiator: WebSocketCloseInitiator.Remote } => new WebSocketException(WebSocketError.Faulted, $"The peer closed the WebSocket connection with {(int)status}."),
        _ => new WebSocketException(WebSocketError.ConnectionClosedPrematurely, "The WebSocket connection ended without the peer's Close frame."),
    };
}
