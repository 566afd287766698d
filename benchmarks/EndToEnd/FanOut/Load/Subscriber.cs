using System.Net.Sockets;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>One subscriber of the load: takes its protocol off and checks every message and their order.</summary>
internal abstract class Subscriber(Socket socket, FanOutRecord record) : IDisposable
{
    private readonly long _first = record.Newest;
    private long _newest = record.Newest;
    private long _now;

    public nint Handle => socket.Handle;

    protected Socket Socket => socket;

    /// <summary>Messages received since it came.</summary>
    public long Received => _newest - _first;

    public static Subscriber Open(int port, FanOutProtocol protocol, FanOutRecord record, bool reads) => protocol switch
    {
        FanOutProtocol.WebSocket => new MessageSubscriber(port, record, reads),
        FanOutProtocol.SignalR => new SignalRSubscriber(port, record, reads),
        _ => new EventStreamSubscriber(port, record, reads),
    };

    /// <summary>Receives once.</summary>
    /// <returns>The number of messages that are complete now and were not before.</returns>
    public int Receive(byte[] buffer)
    {
        var length = socket.Receive(buffer, SocketFlags.None, out var error);
        if (error == SocketError.WouldBlock)
            return 0;
        if (error != SocketError.Success || length == 0)
            throw new BenchmarkException($"The server closed a connection after {Received} messages: {error}");
        var before = _newest;
        _now = Clock.Nanoseconds;
        Read(buffer.AsSpan(0, length));
        return (int)(_newest - before);
    }

    // A reset leaves no TIME_WAIT behind, of which thousands would use up the ports of the next round.
    public void Dispose()
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();
    }

    protected abstract void Read(ReadOnlySpan<byte> bytes);

    protected void Complete(ReadOnlySpan<byte> message) => record.Check(++_newest, message, _now);

    /// <summary>Who does not read says so with a small window, so that the server's side fills up soon.</summary>
    protected static Socket Connect(int port, bool reads) => LoadConnection.Connect(port, reads ? null : 4096);
}
