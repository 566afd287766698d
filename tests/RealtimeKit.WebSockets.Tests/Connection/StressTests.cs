using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Net.WebSockets;
using RealtimeKit.WebSockets.Tests.Connection.Kit;

namespace RealtimeKit.WebSockets.Tests.Connection;

// Many random operations on two connections from several tasks. What is received of each sender is what it sent, from the first
// message on and in order; where both sides close in order it is all of it; and nothing hangs.
public class StressTests
{
    private const int Senders = 3;

    // For a longer hunt: STRESS_MILLISECONDS=60000.
    private static readonly long Duration = long.TryParse(Environment.GetEnvironmentVariable("STRESS_MILLISECONDS"), out var milliseconds) ? milliseconds : 300;

    public static TheoryData<string, int> Runs
    {
        get
        {
            var runs = new TheoryData<string, int>();
            foreach (var kind in new[] { "pair", "inline pipes", "stream", "socket", "tls", "small buffers", "compressed", "compressed with takeover" })
            {
                for (var seed = 1; seed <= 2; seed++)
                    runs.Add(kind, seed);
            }

            return runs;
        }
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public async Task RandomOperations_NothingIsLostDoubledOrHangs(string kind, int firstSeed)
    {
        var watch = Stopwatch.StartNew();
        for (var seed = firstSeed * 1000; watch.ElapsedMilliseconds < Duration; seed++)
        {
            try
            {
                await RunAsync(kind, seed).WaitAsync(TimeSpan.FromSeconds(30));
            }
            catch (Exception error)
            {
                throw new InvalidOperationException($"{kind}, seed {seed}: {error.Message}", error);
            }
        }
    }

    private static async Task RunAsync(string kind, int seed)
    {
        var random = new Random(seed);
        var options = new WebSocketConnectionOptions
        {
            SendBufferSize = kind == "small buffers" ? 300 : random.Next(256, 20_000),
            ReadAheadSize = kind == "small buffers" ? 256 : random.Next(256, 20_000),
            MaxFrameSize = random.Next(2) == 0 ? int.MaxValue : random.Next(125, 2000),
            ControlFrameBurst = 1_000_000,
            CloseTimeout = TimeSpan.FromSeconds(20),
        };
        if (kind.StartsWith("compressed", StringComparison.Ordinal))
        {
            var takesOver = kind != "compressed";
            options.Compression = new PerMessageDeflateOptions { MinimumSize = random.Next(1, 300), MaxInflateRatio = int.MaxValue };
            options.CompressionParameters = new PerMessageDeflateParameters { ServerContextTakeover = takesOver, ClientContextTakeover = takesOver };
        }

        var (left, right) = await CreateAsync(kind, options);
        var end = random.Next(5);
        using var stop = new CancellationTokenSource();
        var a = new Side(left, random.Next(), stop.Token);
        var b = new Side(right, random.Next(), stop.Token);
        var tasks = a.Start().Concat(b.Start()).ToList();
        await Task.Delay(random.Next(1, 25));

        // How it ends: one closes, both close, one is disposed, one aborts, both are disposed.
        switch (end)
        {
            case 0:
                await stop.CancelAsync();
                await a.Sent;
                await b.Sent;
                (await left.CloseAsync(WebSocketCloseStatus.NormalClosure)).IsClean.Should().BeTrue();
                break;
            case 1:
                await Task.WhenAll(Run(async () => await left.CloseAsync(WebSocketCloseStatus.NormalClosure)), Run(async () => await right.CloseAsync(WebSocketCloseStatus.EndpointUnavailable)));
                break;
            case 2:
                await left.DisposeAsync();
                break;
            case 3:
                left.Abort();
                break;
            default:
                await Task.WhenAll(Run(() => left.DisposeAsync().AsTask()), Run(() => right.DisposeAsync().AsTask()), Run(() => left.DisposeAsync().AsTask()));
                break;
        }

        await stop.CancelAsync();
        for (var i = 0; i < tasks.Count; i++)
        {
            if (await Task.WhenAny(tasks[i], Task.Delay(15_000)) != tasks[i])
                throw new TimeoutException($"end {end}: task {i} hangs, {left.State} {left.CloseResult}, {right.State} {right.CloseResult}");
            await tasks[i];
        }

        await Task.WhenAll(left.DisposeAsync().AsTask(), right.DisposeAsync().AsTask());
        left.CloseResult.Should().NotBeNull();
        right.CloseResult.Should().NotBeNull();
        a.Check(b, isComplete: end == 0);
        b.Check(a, isComplete: false);   // while left waits for the Close it discards what nobody is just receiving
    }

    private static Task Run(Func<Task> action) => Task.Run(action);

    private static async Task<(WebSocketConnection Left, WebSocketConnection Right)> CreateAsync(string kind, WebSocketConnectionOptions options)
    {
        if (kind is "pair" or "small buffers" or "compressed" or "compressed with takeover")
            return WebSocketConnection.CreatePair(options);
        Func<WebSocketRole, WebSocketConnectionOptions> with = role => new()
        {
            Role = role,
            SendBufferSize = options.SendBufferSize,
            ReadAheadSize = options.ReadAheadSize,
            MaxFrameSize = options.MaxFrameSize,
            ControlFrameBurst = options.ControlFrameBurst,
            CloseTimeout = options.CloseTimeout,
        };
        if (kind is "socket" or "tls")
        {
            var (server, client, _, _) = await Harness.ConnectAsync(kind == "tls");
            return (WebSocketConnection.Create(client, with(WebSocketRole.Client)), WebSocketConnection.Create(server, with(WebSocketRole.Server)));
        }

        var inline = new PipeOptions(readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, useSynchronizationContext: false);
        var (own, peer) = Pipes.CreatePair(kind == "inline pipes" ? inline : null);
        return kind == "stream"
            ? (WebSocketConnection.Create(own.AsStream(), with(WebSocketRole.Client)), WebSocketConnection.Create(peer.AsStream(), with(WebSocketRole.Server)))
            : (WebSocketConnection.Create(own, with(WebSocketRole.Client)), WebSocketConnection.Create(peer, with(WebSocketRole.Server)));
    }

    private sealed class Side(WebSocketConnection connection, int seed, CancellationToken stop)
    {
        private readonly int[] _sent = new int[Senders];
        private readonly int[] _received = new int[Senders];
        private readonly List<string> _faults = [];
        private Task[] _senders = [];

        public Task Sent => Task.WhenAll(_senders);

        public IEnumerable<Task> Start()
        {
            _senders = [.. Enumerable.Range(0, Senders).Select(sender => Run(() => SendAsync(sender)))];
            return [.. _senders, Run(ReceiveAsync), Run(PingAsync)];
        }

        // What the other side received is a beginning of what this side sent, or all of it.
        public void Check(Side other, bool isComplete)
        {
            _faults.Should().BeEmpty();
            for (var sender = 0; sender < Senders; sender++)
            {
                other._received[sender].Should().BeLessThanOrEqualTo(_sent[sender]);
                if (isComplete)
                    other._received[sender].Should().Be(_sent[sender]);
            }
        }

        private async Task SendAsync(int sender)
        {
            var random = new Random(seed + sender);
            try
            {
                while (!stop.IsCancellationRequested)
                {
                    var number = _sent[sender];
                    var payload = new byte[random.Next(4) == 0 ? random.Next(8, 5000) : random.Next(8, 200)];
                    payload.AsSpan().Fill((byte)(sender + number));
                    BinaryPrimitives.WriteInt32LittleEndian(payload, sender);
                    BinaryPrimitives.WriteInt32LittleEndian(payload.AsSpan(4), number);
                    using var cancel = new CancellationTokenSource();
                    Volatile.Write(ref _sent[sender], number + 1);   // it may arrive before the send has returned
                    try
                    {
                        switch (random.Next(5))
                        {
                            case 0:
                                cancel.CancelAfter(TimeSpan.FromMilliseconds(random.Next(3)));
                                await connection.SendAsync(payload, WebSocketMessageType.Binary, cancel.Token);
                                break;
                            case 1:
                                await connection.SendAsync(WebSocketMessageType.Binary, payload, static (payload, output) => output.Write(payload));
                                break;
                            case 2:
                                using (var batch = connection.CreateBatch())
                                {
                                    batch.Add(payload, WebSocketMessageType.Binary);
                                    await batch.FlushAsync();
                                }

                                break;
                            case 3:
                                await connection.SendAsync(new PreparedWebSocketMessage(payload, WebSocketMessageType.Binary));
                                break;
                            default:
                                await connection.SendAsync(payload, WebSocketMessageType.Binary);
                                break;
                        }
                    }
                    catch (OperationCanceledException)
                    {
                        _sent[sender] = number;   // a cancelled message is not sent at all, and its number is used again
                    }

                    if (random.Next(20) == 0)
                        await Task.Yield();
                }
            }
            catch (WebSocketException)
            {
            }
        }

        private async Task ReceiveAsync()
        {
            var random = new Random(~seed);
            while (true)
            {
                using var cancel = new CancellationTokenSource();
                try
                {
                    if (random.Next(4) == 0)
                        cancel.CancelAfter(TimeSpan.FromMilliseconds(random.Next(2)));
                    byte[] bytes;
                    if (random.Next(4) == 0)
                    {
                        var joined = new List<byte>();
                        while (true)
                        {
                            WebSocketReadResult part;
                            try
                            {
                                part = await connection.ReadAsync(joined.Count == 0 ? cancel.Token : CancellationToken.None);
                            }
                            catch (OperationCanceledException) when (joined.Count == 0)
                            {
                                throw;
                            }

                            if (part.MessageType == WebSocketMessageType.Close)
                                return;
                            var payload = part.Payload;
                            var take = payload.Length == 0 ? 0 : random.NextInt64(payload.Length) + 1;
                            joined.AddRange(payload.Slice(0, take).ToArray());
                            var isEnd = part.IsEndOfMessage && take == payload.Length;
                            connection.AdvanceTo(payload.GetPosition(take));
                            if (isEnd)
                                break;
                        }

                        bytes = [.. joined];
                    }
                    else
                    {
                        var message = await connection.ReceiveAsync(cancel.Token);
                        if (message.Type == WebSocketMessageType.Close)
                            return;
                        try
                        {
                            bytes = message.ToArray();
                        }
                        catch (InvalidOperationException) when (connection.CloseResult is not null)
                        {
                            return;   // disposed meanwhile
                        }
                    }

                    var sender = BinaryPrimitives.ReadInt32LittleEndian(bytes);
                    var number = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(4));
                    if (number != _received[sender]++)
                        _faults.Add($"sender {sender}: message {number} instead of {_received[sender] - 1}");
                    if (bytes.AsSpan(8).IndexOfAnyExcept((byte)(sender + number)) >= 0)
                        _faults.Add($"sender {sender}, message {number}: another payload");
                    if (random.Next(30) == 0)
                        await Task.Delay(1, CancellationToken.None);
                }
                catch (OperationCanceledException)
                {
                }
                catch (InvalidOperationException error) when (connection.CloseResult is not null && error.Message.Contains("borrowed", StringComparison.Ordinal))
                {
                    return;   // the connection was disposed while a part was in our hands
                }
                catch (InvalidOperationException error) when (connection.CloseResult is not null && error.Message.Contains("AdvanceTo", StringComparison.Ordinal))
                {
                    return;
                }
            }
        }

        private async Task PingAsync()
        {
            var random = new Random(seed ^ 7);
            try
            {
                while (!stop.IsCancellationRequested)
                {
                    using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(random.Next(1, 5)));
                    try
                    {
                        await connection.PingAsync(cancel.Token);
                    }
                    catch (OperationCanceledException)
                    {
                    }

                    await Task.Delay(random.Next(3), CancellationToken.None);
                }
            }
            catch (WebSocketException)
            {
            }
        }
    }
}
