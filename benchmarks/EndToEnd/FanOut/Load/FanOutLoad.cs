using System.Net.Sockets;
using System.Text;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>All subscribers of the load on one thread, with one epoll and one shared receive buffer; it also asks the server to publish.</summary>
internal sealed class FanOutLoad : IDisposable
{
    // More is never under way: a burst is complete before the next begins.
    public const int MaxBurst = 4096;

    private readonly List<Subscriber> _subscribers = [];
    private readonly Epoll _epoll;
    private readonly byte[] _buffer = new byte[256 * 1024];
    private readonly Socket _control;
    private readonly FanOutRecord _record;
    private readonly Subscriber? _stalled;
    private readonly TimeSpan _stallLimit;
    private readonly int _size;

    /// <param name="nodes">The servers.</param>
    /// <param name="protocol">What the subscribers speak.</param>
    /// <param name="count">How many subscribe and read.</param>
    /// <param name="size">The messages' size in bytes.</param>
    /// <param name="withStalled">One more subscribes, and never reads.</param>
    public FanOutLoad(FanOutNodes nodes, FanOutProtocol protocol, int count, int size, bool withStalled)
    {
        if (size < FanOutMessage.MinSize)
            throw new BenchmarkException($"--size must be at least {FanOutMessage.MinSize}");
        _size = size;
        _stallLimit = TimeSpan.FromSeconds(withStalled ? 4 : 10);
        _epoll = new Epoll(512);
        _control = LoadConnection.Connect(nodes.Publisher);
        try
        {
            // Those of the load before may not have gone yet.
            var state = nodes.WaitForSubscribers(0);
            _record = new FanOutRecord(size, MaxBurst, state.Published);
            if (withStalled)
                _stalled = Subscriber.Open(nodes.Publisher, protocol, _record, reads: false);
            for (var i = 0; i < count; i++)
            {
                _subscribers.Add(Subscriber.Open(nodes.PortFor(i), protocol, _record, reads: true));
                _epoll.Register(_subscribers[i].Handle, i, Epoll.Readable);
            }
            nodes.WaitForSubscribers(count + (withStalled ? 1 : 0));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Lets the server publish and waits until everybody has every message.</summary>
    /// <returns>The deliveries; -1 when the server has stood still because one subscriber does not read.</returns>
    public long Publish(int count, int interval, LatencyHistogram? latencies)
    {
        if (count > MaxBurst)
            throw new BenchmarkException($"A burst has at most {MaxBurst} messages");
        _record.Latencies = latencies;
        _control.Send(Encoding.ASCII.GetBytes($"GET /publish?count={count}&size={_size}&interval={interval} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"));
        var wanted = (long)count * _subscribers.Count;
        var received = 0L;
        var lastProgress = Clock.Nanoseconds;
        while (received < wanted)
        {
            var ready = _epoll.Wait(50);
            for (var i = 0; i < ready; i++)
                received += _subscribers[_epoll[i].Index].Receive(_buffer);
            if (ready > 0)
            {
                lastProgress = Clock.Nanoseconds;
            }
            else if (Clock.Nanoseconds - lastProgress > _stallLimit.TotalNanoseconds)
            {
                if (_stalled is not null)
                    return -1;
                throw new BenchmarkException($"The server has sent nothing for {_stallLimit.TotalSeconds:0} s; {wanted - received} of {wanted} deliveries are missing");
            }
        }
        LoadConnection.ReadNoContent(_control, "/publish");
        return received;
    }

    public void Dispose()
    {
        foreach (var subscriber in _subscribers)
            subscriber.Dispose();
        _stalled?.Dispose();
        _control.Dispose();
        _epoll.Dispose();
    }
}
