using System.Buffers;
using System.Net.WebSockets;
using System.Threading.Channels;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Samples.Showcase;

/// <summary>Somebody's connection to a room.</summary>
internal sealed class YMember : IAsyncDisposable
{
    private const int MaxWaiting = 1024;
    private const int MaxWaitingBytes = 4 * YRoom.MaxDocumentSize;

    private readonly YRoom _room;
    private readonly WebSocketConnection _connection;
    private readonly Channel<byte[]> _waiting = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(MaxWaiting) { SingleReader = true });
    private readonly RateLimit _rate = new(perSecond: 100, burst: 1000);
    private readonly Task _sending;
    private int _waitingBytes;

    public YMember(YRoom room, WebSocketConnection connection)
    {
        _room = room;
        _connection = connection;
        _sending = SendAllAsync();
    }

    /// <summary>For each time it was asked for everything: the number of the last update that it had been sent by then.</summary>
    public Queue<long> Asked { get; } = new();

    /// <summary>Whether it was sent what the room had when it came.</summary>
    public bool HasEverything { get; set; }

    /// <summary>Sends a message after those before it. Whoever lags behind by too much is cut off, and comes back to all of it.</summary>
    public void Send(byte[] message)
    {
        if (Interlocked.Add(ref _waitingBytes, message.Length) > MaxWaitingBytes || !_waiting.Writer.TryWrite(message))
            _connection.Abort();
    }

    public YRefusal? Receive(in ReadOnlySequence<byte> message) =>
        _rate.TryTake() ? _room.Receive(this, message.IsSingleSegment ? message.FirstSpan : message.ToArray()) : new YRefusal(YRoom.TryLater, "Too many at once.");

    public async ValueTask DisposeAsync()
    {
        _room.Leave(this);
        _waiting.Writer.TryComplete();
        await _sending;
    }

    private async Task SendAllAsync()
    {
        try
        {
            await foreach (var message in _waiting.Reader.ReadAllAsync(_connection.Closed))
            {
                await _connection.SendAsync(message, WebSocketMessageType.Binary);
                Interlocked.Add(ref _waitingBytes, -message.Length);
            }
        }
        catch (Exception error) when (error is WebSocketException or OperationCanceledException)
        {
            // It has gone.
        }
    }
}
