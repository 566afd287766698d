using System.Diagnostics;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>All streams of the load on one thread, with one epoll and one shared receive buffer.</summary>
internal sealed class EventLoad : IDisposable
{
    private static readonly TimeSpan StallLimit = TimeSpan.FromSeconds(10);

    private readonly List<EventConnection> _connections = [];
    private readonly Epoll _epoll;
    private readonly byte[] _buffer = new byte[256 * 1024];
    private readonly HttpClient _http;

    public EventLoad(int port, string path, int count, byte[] wire)
    {
        _http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = TimeSpan.FromMinutes(5) };
        _epoll = new Epoll(Math.Min(count, 512));
        try
        {
            for (var i = 0; i < count; i++)
            {
                _connections.Add(new EventConnection(port, path, wire));
                _epoll.Register(_connections[i].Handle, i, Epoll.Readable);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Waits until every stream has sent something.</summary>
    public void WaitForBodies() => Pump(() => _connections.TrueForAll(connection => connection.HasBody));

    /// <summary>Waits until the headers of every stream are there.</summary>
    /// <returns>How long each took from the call on, which should follow the requests at once.</returns>
    public TimeSpan[] WaitForHeaders()
    {
        var start = Stopwatch.GetTimestamp();
        var times = new TimeSpan?[_connections.Count];
        Pump(() =>
        {
            for (var i = 0; i < times.Length; i++)
                if (times[i] is null && _connections[i].IsOpen)
                    times[i] = Stopwatch.GetElapsedTime(start);
            return Array.TrueForAll(times, time => time is not null);
        });
        return [.. times.Select(time => time!.Value)];
    }

    /// <summary>Lets the server publish, and takes what it sends.</summary>
    /// <returns>The events received by all streams together: one for each tick and stream.</returns>
    public long Receive(int ticks, TimeSpan interval)
    {
        var publish = _http.GetStringAsync($"/publish?streams={_connections.Count}&ticks={ticks}&interval={(int)interval.TotalMilliseconds}");
        var wanted = (long)ticks * _connections.Count;
        var received = 0L;
        Pump(() => received >= wanted, events => received += events);
        publish.GetAwaiter().GetResult();
        return received == wanted ? received : throw new BenchmarkException($"{received} events came, {wanted} were sent");
    }

    public void Dispose()
    {
        foreach (var connection in _connections)
            connection.Dispose();
        _epoll.Dispose();
        _http.Dispose();
    }

    private void Pump(Func<bool> isDone, Action<int>? count = null)
    {
        var lastProgress = Clock.Nanoseconds;
        while (!isDone())
        {
            var ready = _epoll.Wait(50);
            for (var i = 0; i < ready; i++)
            {
                var events = _connections[_epoll[i].Index].Receive(_buffer);
                count?.Invoke(events);
            }
            if (ready > 0)
                lastProgress = Clock.Nanoseconds;
            else if (Clock.Nanoseconds - lastProgress > StallLimit.TotalNanoseconds)
                throw new BenchmarkException($"The server has sent nothing for {StallLimit.TotalSeconds:0} s");
        }
    }
}
