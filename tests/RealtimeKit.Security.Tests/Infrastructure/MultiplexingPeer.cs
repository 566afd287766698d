using System.Buffers.Binary;

namespace RealtimeKit.Security.Tests;

/// <summary>
/// What a proxy is that carries the WebSockets of many clients over one HTTP/2 connection: it keeps to both windows (RFC 9113 §5.2), stops
/// sending on a stream that is reset, and counts what it has sent and not been given back.
/// </summary>
internal sealed class MultiplexingPeer : IAsyncDisposable
{
    private const int FrameSize = 16_384;

    private readonly RawHttp2 _http;
    private readonly bool _givesWindows;
    private readonly object _lock = new();
    private readonly SemaphoreSlim _writing = new(1);
    private readonly Dictionary<int, Http2Stream> _streams = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _reading = Task.CompletedTask;
    private int _nextStream = 1;
    private int _initialWindow = 65_535;
    private long _window = 65_535;

    private MultiplexingPeer(RawHttp2 http, bool givesWindows)
    {
        _http = http;
        _givesWindows = givesWindows;
    }

    /// <summary>What may be sent on all streams together.</summary>
    public long Window
    {
        get
        {
            lock (_lock)
                return _window;
        }
    }

    /// <summary>DATA that was sent on any stream and that the connection's window has not got back.</summary>
    public long Outstanding { get; private set; }

    /// <summary>The connection's window, as it was granted at the beginning.</summary>
    public long FullWindow { get; private set; }

    /// <summary>The error with which the server has ended the connection; -1 while it is open.</summary>
    public int GoAway { get; private set; } = -1;

    public bool IsOpen { get; private set; } = true;

    /// <summary>Opens the connection, and waits for the server's settings and its window.</summary>
    /// <param name="port">The server's.</param>
    /// <param name="givesWindows">Whether the server may send on a stream without being told so by <see cref="GrantAsync"/>.</param>
    public static async Task<MultiplexingPeer> OpenAsync(int port, bool givesWindows = true)
    {
        // SETTINGS_INITIAL_WINDOW_SIZE
        var peer = new MultiplexingPeer(await RawHttp2.OpenAsync(port, [0, 4, 0, givesWindows ? (byte)1 : (byte)0, 0, 0]), givesWindows);
        peer._reading = peer.ReadAsync();
        await peer.WriteAsync(() => peer.WindowUpdate(0, 1 << 30));   // what all streams share is not what is held back
        await Until.TrueAsync(() => peer._window > 65_535);
        peer.FullWindow = peer._window;
        return peer;
    }

    /// <summary>Begins a WebSocket, without waiting for the answer.</summary>
    public async Task<Http2Stream> ConnectAsync(string path = "/ws", params (string Name, string Value)[] headers)
    {
        Http2Stream stream;
        lock (_lock)
        {
            stream = new Http2Stream { Id = _nextStream, Window = _initialWindow };
            _streams.Add(stream.Id, stream);
            _nextStream += 2;
        }

        await WriteAsync(() => _http.Connect(stream.Id, path, "websocket", headers));
        return stream;
    }

    /// <summary>Lets the server send on a stream.</summary>
    public Task GrantAsync(Http2Stream stream, int bytes) => WriteAsync(() => WindowUpdate(stream.Id, bytes));

    /// <summary>Sends as much as there is, waiting for the windows; stops where the server has ended the stream.</summary>
    /// <returns>Whether everything was sent.</returns>
    public async Task<bool> SendAsync(Http2Stream stream, ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var count = 0;
            Task changed;
            lock (_lock)
            {
                if (!IsOpen || stream.IsEnded)
                    return false;
                changed = _changed.Task;
                count = (int)Math.Min(Math.Min(_window, stream.Window), Math.Min(bytes.Length, FrameSize));
                if (count > 0)
                {
                    _window -= count;
                    stream.Window -= count;
                    stream.Sent += count;
                    Outstanding += count;
                }
            }

            if (count <= 0)
            {
                await changed.WaitAsync(Until.Cancelled);
                continue;
            }

            var piece = bytes[..count].ToArray();
            bytes = bytes[count..];
            if (!await WriteAsync(() => _http.Frame(0, 0, stream.Id, piece)))
                return false;
        }

        return true;
    }

    /// <summary>Sends DATA without regard to what the server has said of the stream; false once the connection has ended.</summary>
    public Task<bool> SendRegardlessAsync(Http2Stream stream, byte[] piece) => WriteAsync(() => _http.Frame(0, 0, stream.Id, piece));

    /// <summary>Sends END_STREAM.</summary>
    public Task EndAsync(Http2Stream stream) => WriteAsync(() => _http.Frame(0, 1, stream.Id, []));

    public async ValueTask DisposeAsync()
    {
        await _http.DisposeAsync();
        await _reading;
    }

    private async Task<bool> WriteAsync(Action append)
    {
        await _writing.WaitAsync(Until.Cancelled);
        try
        {
            append();
            await _http.FlushAsync();
            return true;
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            return false;
        }
        finally
        {
            _writing.Release();
        }
    }

    private async Task ReadAsync()
    {
        try
        {
            while (await _http.ReceiveAsync() is { } frame)
                await TakeAsync(frame.Type, frame.Flags, frame.Stream, frame.Payload);
        }
        catch (ObjectDisposedException)
        {
        }
        finally
        {
            lock (_lock)
            {
                IsOpen = false;
                foreach (var stream in _streams.Values)
                    stream.End();
                Announce();
            }
        }
    }

    private async Task TakeAsync(int type, int flags, int id, byte[] payload)
    {
        switch (type)
        {
            case 4 when (flags & 1) == 0:
                await WriteAsync(() => _http.Frame(4, 1, 0, []));
                break;
            case 6 when (flags & 1) == 0:
                await WriteAsync(() => _http.Frame(6, 1, 0, payload));
                break;
            case 0 when payload.Length > 0 && _givesWindows:
                await WriteAsync(() => WindowUpdate(id, payload.Length));
                break;
        }

        lock (_lock)
        {
            var stream = _streams.GetValueOrDefault(id);
            switch (type)
            {
                case 0:
                    stream!.Received.AddRange(payload);
                    if ((flags & 1) != 0)
                        stream.End();
                    break;
                case 1:
                    stream!.Headers ??= payload;
                    if ((flags & 1) != 0)
                        stream.End();
                    break;
                case 3:
                    stream!.Reset = BinaryPrimitives.ReadInt32BigEndian(payload);
                    stream.End();
                    break;
                case 4 when (flags & 1) == 0:
                    for (var i = 0; i < payload.Length; i += 6)
                    {
                        if (BinaryPrimitives.ReadInt16BigEndian(payload.AsSpan(i)) == 4)
                            _initialWindow = BinaryPrimitives.ReadInt32BigEndian(payload.AsSpan(i + 2));
                    }

                    break;
                case 7:
                    GoAway = BinaryPrimitives.ReadInt32BigEndian(payload.AsSpan(4));
                    break;
                case 8 when id == 0:
                    var more = BinaryPrimitives.ReadInt32BigEndian(payload);
                    _window += more;
                    if (FullWindow > 0)
                        Outstanding -= more;
                    break;
                case 8:
                    stream!.Window += BinaryPrimitives.ReadInt32BigEndian(payload);
                    break;
            }

            Announce();
        }
    }

    // Under the lock.
    private void Announce()
    {
        var changed = _changed;
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        changed.SetResult();
    }

    private void WindowUpdate(int stream, int bytes)
    {
        var payload = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(payload, bytes);
        _http.Frame(8, 0, stream, payload);
    }

    /// <summary>One WebSocket's stream.</summary>
    internal sealed class Http2Stream
    {
        private volatile bool _isEnded;

        public required int Id { get; init; }

        public long Window { get; set; }

        public long Sent { get; set; }

        /// <summary>The answer's header block.</summary>
        public byte[]? Headers { get; set; }

        /// <summary>What the server sent, of which nothing is taken away.</summary>
        public List<byte> Received { get; } = [];

        /// <summary>The error of the server's RST_STREAM; -1 where there was none.</summary>
        public int Reset { get; set; } = -1;

        /// <summary>Whether the server sends no more: END_STREAM, RST_STREAM, or the end of the connection.</summary>
        public bool IsEnded => _isEnded;

        public void End() => _isEnded = true;
    }
}
