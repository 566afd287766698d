using System.Diagnostics;
using System.Net.Sockets;
using System.Text.Json;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>The load generator: one thread, one epoll, one shared receive buffer, every byte of every echo compared.</summary>
internal static class LoadProgram
{
    private const int ReceiveWindow = 256 * 1024;
    private static readonly TimeSpan StallLimit = TimeSpan.FromSeconds(10);

    public static int RunEcho(Arguments arguments)
    {
        var port = arguments.Number("port");
        var connections = arguments.Number("connections", 50);
        var depth = arguments.Number("depth", 1);
        var frames = new EchoFrames(arguments.Number("size", 125), arguments.Has("text"), arguments.Has("raw"), depth, ReceiveWindow);
        using var stats = new StatsClient(port);
        using var load = new Load(port, connections, depth, frames);

        load.Run(TimeSpan.FromSeconds(arguments.Seconds("warmup", 1)), latencies: null);

        // The generator stands still while the server answers: what is counted on both sides then belongs to the window,
        // but for the messages under way.
        var before = stats.Get("/stats");
        var latencies = new LatencyHistogram();
        var cpu = Environment.CpuUsage.TotalTime;
        var watch = Stopwatch.StartNew();
        var messages = load.Run(TimeSpan.FromSeconds(arguments.Seconds("seconds", 5)), latencies);
        var elapsed = watch.Elapsed;
        cpu = Environment.CpuUsage.TotalTime - cpu;
        var after = stats.Get("/stats");

        if (messages == 0)
            throw new BenchmarkException("Nothing was echoed");
        Print(new LoadResult(
            messages,
            elapsed.TotalSeconds,
            latencies.Microseconds(0.5),
            latencies.Microseconds(0.99),
            after.CpuSeconds - before.CpuSeconds,
            cpu.TotalSeconds,
            after.AllocatedBytes - before.AllocatedBytes));
        return 0;
    }

    public static int RunIdle(Arguments arguments)
    {
        var port = arguments.Number("port");
        var connections = arguments.Number("connections", 10_000);
        var frames = new EchoFrames(125, text: false, arguments.Has("raw"), sendWindow: 1, ReceiveWindow);
        using var stats = new StatsClient(port);

        // What the first connections leave behind (jitted code, pools, static state) is no one's in particular.
        using (Open(Math.Min(200, connections)))
        {
        }
        stats.Get("/gc");
        var before = stats.Get("/gc");
        using (var idle = Open(connections))
        {
            stats.Get("/gc");
            var after = stats.Get("/gc");

            // A server that had closed them would look thrifty.
            idle.AnswerOnce();
            Print(new IdleResult(connections, before, after));
        }
        return 0;

        IIdleConnections Open(int count)
        {
            IIdleConnections opened = arguments.Has("http")
                ? new HttpConnections(count, port)
                : new Load(port, count, depth: 1, frames);
            opened.AnswerOnce();
            return opened;
        }
    }

    private static void Print<T>(T result) => Console.WriteLine(JsonSerializer.Serialize(result));

    private interface IIdleConnections : IDisposable
    {
        /// <summary>One exchange on every connection; fails if any of them is closed or silent.</summary>
        void AnswerOnce();
    }

    private sealed class HttpConnections(int count, int port) : IIdleConnections
    {
        private readonly Socket[] _sockets = [.. Enumerable.Range(0, count).Select(_ => LoadConnection.Connect(port))];

        public void AnswerOnce()
        {
            foreach (var socket in _sockets)
                LoadConnection.Get(socket, "/plain");
        }

        public void Dispose()
        {
            foreach (var socket in _sockets)
            {
                socket.LingerState = new LingerOption(true, 0);
                socket.Dispose();
            }
        }
    }

    private sealed class Load : IIdleConnections
    {
        private readonly List<LoadConnection> _connections = [];
        private readonly Epoll _epoll;
        private readonly byte[] _buffer = new byte[ReceiveWindow];
        private readonly int _depth;
        private bool _started;
        private int _exchanges;

        public Load(int port, int count, int depth, EchoFrames frames)
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
                Start();
            return Pump(latencies, sendMore: true, until: messages => false, duration);
        }

        public void AnswerOnce()
        {
            _exchanges++;
            Start();
            Pump(null, sendMore: false, until: messages => messages == _connections.Count, TimeSpan.FromMinutes(1));
            if (_connections.Any(connection => connection.Completed != _exchanges))
                throw new BenchmarkException("Not every connection was answered");
        }

        public void Dispose()
        {
            foreach (var connection in _connections)
                connection.Dispose();
            _epoll.Dispose();
        }

        private void Start()
        {
            _started = true;
            for (var i = 0; i < _connections.Count; i++)
            {
                _connections[i].Queue(_depth, Clock.Nanoseconds);
                Follow(i);
            }
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
}
