using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using RealtimeKit.ServerSentEvents;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Soak;

/// <summary>Clients that stay, each one task that comes back after every fault until the run is over.</summary>
internal sealed class Clients(Wire wire, Tally tally, CancellationToken over)
{
    private const string Reliable = "json.reliable.webpubsub.azure.v1";
    private const string Deflate = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n";

    /// <summary>Sends something now and then, and gets the same back.</summary>
    public Task EchoAsync(int seed, bool isCompressed, TimeSpan interval) => AgainAsync(seed, async (random, socket) =>
    {
        await Wire.HandshakeAsync(socket, isCompressed ? "/deflate" : "/ws", isCompressed ? Deflate : null, over);
        await using var connection = Open(socket, isCompressed);
        while (!over.IsCancellationRequested)
        {
            var size = random.Next(20) == 0 ? random.Next(100_000) : random.Next(2000);
            var message = Encoding.UTF8.GetBytes(string.Join(" ", Enumerable.Range(0, size / 8 + 1).Select(_ => random.Next())));
            await connection.SendAsync(message, WebSocketMessageType.Text, over);
            var echo = await connection.ReceiveAsync(over);
            if (echo.Type == WebSocketMessageType.Close)
                throw new IOException($"Closed: {connection.CloseResult}");
            if (!echo.ToArray().AsSpan().SequenceEqual(message))
                tally.Fail(Kind.WrongEcho, $"of {message.Length} bytes");
            tally.Add(Kind.Echoed);
            await Task.Delay(interval * (0.5 + random.NextDouble()), over);
        }
    });

    /// <summary>Raw messages: no number on the wire, so that each connection begins anew.</summary>
    public Task RawTopicAsync(int seed, Ledger ledger)
    {
        var reader = new Reader(ledger, tally);
        Readers(ledger, reader);
        return AgainAsync(seed, async (_, socket) =>
        {
            await Wire.HandshakeAsync(socket, $"/topics?topic={ledger.Topic}", null, over);
            reader.Begin(isTold: true);
            await using var connection = Open(socket, isCompressed: false);
            await foreach (var message in connection.ReadAllAsync(over))
                reader.OnMessage(message.GetText());
            throw new IOException($"Closed: {connection.CloseResult}");
        });
    }

    /// <summary>The reliable subprotocol: a lost connection is recovered, with what was not acknowledged.</summary>
    public Task ReliableTopicAsync(int seed, Ledger ledger)
    {
        var reader = new Reader(ledger, tally);
        Readers(ledger, reader);
        string? recovery = null;
        ulong last = 0;
        return AgainAsync(seed, async (_, socket) =>
        {
            var recovers = recovery;
            await Wire.HandshakeAsync(socket, $"/topics?topic={ledger.Topic}{recovers}", $"Sec-WebSocket-Protocol: {Reliable}\r\n", over);
            await using var connection = Open(socket, isCompressed: false);
            if (recovers is null)
            {
                last = 0;
                reader.Begin(isTold: true);
            }

            await foreach (var message in connection.ReadAllAsync(over))
            {
                using var json = JsonDocument.Parse(message.ToArray());
                var root = json.RootElement;
                if (root.GetProperty("type").GetString() == "system")
                {
                    if (root.GetProperty("event").GetString() == "connected")
                    {
                        recovery = $"&awps_connection_id={root.GetProperty("connectionId").GetString()}&awps_reconnection_token={root.GetProperty("reconnectionToken").GetString()}";
                        if (recovers is not null)
                            tally.Add(Kind.Resumed);
                    }

                    continue;
                }

                var number = root.GetProperty("sequenceId").GetUInt64();
                if (number <= last)
                    continue;   // sent again because its acknowledgement was lost
                if (number != last + 1)
                    tally.Fail(Kind.Lost, $"{ledger.Topic}: sequence {number} after {last}");
                last = number;
                reader.OnMessage(root.GetProperty("data").GetString()!);
                if (number % 8 == 0)
                    await connection.SendAsync($"{{\"type\":\"sequenceAck\",\"sequenceId\":{number}}}", over);
            }

            // 1008: what it had cannot be recovered, and it is told so.
            if (connection.CloseResult is { Status: WebSocketCloseStatus.PolicyViolation })
            {
                recovery = null;
                tally.Add(Kind.RecoveryRefused);
                throw new OperationCanceledException();
            }

            throw new IOException($"Closed: {connection.CloseResult}");
        });
    }

    /// <summary>An event stream, which its client resumes by itself.</summary>
    public async Task EventStreamAsync(HttpClient http, Ledger ledger)
    {
        var reader = new Reader(ledger, tally);
        Readers(ledger, reader);
        var isOpen = false;
        while (!over.IsCancellationRequested)
        {
            await using var client = new ServerSentEventClient(http, wire.Uri($"/topics?topic={ledger.Topic}"), new ServerSentEventClientOptions
            {
                ReconnectDelay = TimeSpan.FromMilliseconds(300),
                MaxReconnectDelay = TimeSpan.FromSeconds(3),
                ReadTimeout = TimeSpan.FromSeconds(60),
                MaxFailures = null,
            });
            try
            {
                await foreach (var item in client.ReadAllAsync(over))
                {
                    if (item.EventType == "stream")
                    {
                        if (isOpen)
                            tally.Add(Kind.Resumed);
                        else
                            reader.Begin(isTold: true);
                        isOpen = true;
                    }
                    else if (item.EventType == "gap")
                    {
                        reader.OnGap();
                    }
                    else
                    {
                        reader.OnMessage(item.Data);
                    }
                }
            }
            catch (OperationCanceledException)
            {
            }
            catch (Exception exception) when (exception is ServerSentEventClientException or IOException or HttpRequestException)
            {
                if (!wire.IsAway)
                    tally.Fail(Kind.Unexpected, $"event stream: {exception.Message}");
                isOpen = false;
                await Task.Delay(500, CancellationToken.None);
            }
        }
    }

    /// <summary>Who reads what.</summary>
    public List<(Ledger Ledger, Reader Reader)> All { get; } = [];

    private void Readers(Ledger ledger, Reader reader)
    {
        lock (All)
            All.Add((ledger, reader));
    }

    public static WebSocketConnection Open(Socket socket, bool isCompressed) => WebSocketConnection.Create(new NetworkStream(socket, ownsSocket: true), new WebSocketConnectionOptions
    {
        Role = WebSocketRole.Client,
        Compression = isCompressed ? new PerMessageDeflateOptions { MinimumSize = 0 } : null,
        CompressionParameters = isCompressed ? new PerMessageDeflateParameters { ServerContextTakeover = false, ClientContextTakeover = false } : null,
        CloseTimeout = TimeSpan.FromSeconds(5),
        KeepAliveTimeout = TimeSpan.FromSeconds(30),
    });

    // A connection after the other, until the run is over. One that ends without a fault is a finding.
    private async Task AgainAsync(int seed, Func<Random, Socket, Task> use)
    {
        var random = new Random(seed);
        while (!over.IsCancellationRequested)
        {
            Socket? socket = null;
            var generation = wire.Generation;
            var opened = 0L;
            try
            {
                await wire.WhenThereAsync(over);
                generation = wire.Generation;
                socket = await wire.ConnectAsync(over);
                opened = System.Diagnostics.Stopwatch.GetTimestamp();
                await use(random, socket);
            }
            catch (OperationCanceledException)
            {
            }
            catch (Exception exception) when (exception is IOException or SocketException or WebSocketException or ObjectDisposedException)
            {
                // One that was cut the moment before it would have been told of the drain.
                if (!over.IsCancellationRequested && socket is not null && !wire.IsExcused(socket, generation))
                {
                    await Task.Delay(2000, CancellationToken.None);
                    if (!wire.IsExcused(socket, generation))
                        tally.Fail(Kind.Unexpected, $"a connection ended without a fault after {System.Diagnostics.Stopwatch.GetElapsedTime(opened).TotalSeconds:0.0} s: {exception.GetType().Name} {exception.Message} {exception.InnerException?.Message}");
                }
            }
            finally
            {
                if (socket is not null)
                {
                    wire.Forget(socket);
                    socket.Dispose();
                }
            }

            if (!over.IsCancellationRequested)
                await Task.Delay(random.Next(100, 600), CancellationToken.None);
        }
    }
}
