namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>All connections of the load on one thread, with one epoll and one shared receive buffer.</summary>
internal sealed class EchoLoad : IIdleConnections
{
    private static readonly TimeSpan StallLimit = TimeSpan.FromSeconds(10);

    private readonly List<LoadConnection> _connections = [];
    private readonly Epoll _epoll;
    private readonly byte[] _buffer = new byte[EchoFrames.ReceiveWindow];
    private readonly int _depth;
    private bool _started;
    private int _exchanges;

    public EchoLoad(int port, int count, int depth, EchoFrames frames)
    {
        _depth = depth;
        _epoll = new Epoll(Math.Min(count, 512));
        try
        {
            for (var i = 0; i < count; i++)
            {
                _connections.Add(LoadConnection.Open(port, frames, depth));
                _epoll.Register(_connections[i].Handle, i, Epoll.Readable);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Keeps every connection busy for this time; the messages then under way stay so.</summary>
    public long Run(TimeSpan duration, LatencyHistogram? latencies)
    {
        if (!_started)
        {
            _started = true;
            for (var i = 0; i < _connections.Count; i++)
            {
                _connections[i].Queue(_depth, Clock.Nanoseconds);
                Follow(i);
            }
        }
        return Pump(latencies, sendMore: true, until: messages => false, duration);
    }

    // One after the other: a burst would leave the server's buffer pools as large as the burst.
    public void AnswerOnce()
    {
        _exchanges++;
        for (var i = 0; i < _connections.Count; i++)
        {
            _connections[i].Queue(1, Clock.Nanoseconds);
            Follow(i);
            Pump(null, sendMore: false, until: messages => messages == 1, StallLimit);
            if (_connections[i].Completed != _exchanges)
                throw new BenchmarkException($"Connection {i} was not answered");
        }
    }

    public void Dispose()
    {
        foreach (var connection in _connections)
            connection.Dispose();
        _epoll.Dispose();
    }

    private long Pump(LatencyHistogram? latencies, bool sendMore, Func<long, bool> until, TimeSpan duration)
    {
        var messages = 0L;
        var end = Clock.Nanoseconds + (long)duration.TotalNanoseconds;
        var lastProgress = Clock.Nanoseconds;
        while (!until(messages))
        {
            var count = _epoll.Wait(50);
            var before = messages;
            for (var i = 0; i < count; i++)
            {
                var (index, events) = _epoll[i];
                var connection = _connections[index];
                if ((events & Epoll.Writable) != 0)
                    connection.Send();
                if ((events & (Epoll.Readable | Epoll.Failed)) != 0)
                    messages += connection.Receive(_buffer, latencies, sendMore);
                Follow(index);
            }
            var now = Clock.Nanoseconds;
            if (messages != before)
                lastProgress = now;
            else if (now - lastProgress > StallLimit.TotalNanoseconds)
                throw new BenchmarkException($"The server has echoed nothing for {StallLimit.TotalSeconds:0} s");
            if (now >= end)
                break;
        }
        return messages;
    }

    private void Follow(int index)
    {
        var connection = _connections[index];
        if (connection.IsBlocked == connection.WaitsForWritable)
            return;
        connection.WaitsForWritable = connection.IsBlocked;
        _epoll.Change(connection.Handle, index, Epoll.Readable | (connection.IsBlocked ? Epoll.Writable : 0));
    }
}
