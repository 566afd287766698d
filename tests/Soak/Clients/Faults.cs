using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Soak;

/// <summary>What is done to the server, each by a loop of its own.</summary>
internal sealed class Faults(Wire wire, Tally tally, HttpClient http, CancellationToken over)
{
    // How far the timestamps are set from the true ones: seldom so far that it counts as a standstill, behind which every deadline begins anew.
    private const double SmallJump = 0.7;
    private const double LargeJump = 2;
    private const int SmallJumps = 15;

    // Until the kernel's buffers are full, and the deadline of ten seconds. It begins anew where the server stood still for two: a machine
    // with too little for it, and the collections that are forced here, can do that again and again.
    private static readonly TimeSpan SlowReaderBound = TimeSpan.FromSeconds(40);
    private static readonly TimeSpan StandstillBound = TimeSpan.FromSeconds(20);

    private static readonly byte[][] Hostile =
    [
        [0x83, 0x80, 0, 0, 0, 0],                                        // a reserved opcode
        [0x81, 0x01, 0x61],                                              // not masked
        [0x82, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0],   // a length of 2^63 - 1
        [0x81, 0x82, 0, 0, 0, 0, 0xC3, 0x28],                            // no UTF-8
        [0x80, 0x80, 0, 0, 0, 0],                                        // nothing to continue
        [0xF1, 0x80, 0, 0, 0, 0],                                        // reserved bits
        [0x89, 0xFE, 0x00, 0x7E, 0, 0, 0, 0],                            // a control frame that is too long
    ];

    private int _jumps;

    /// <summary>Does something again and again.</summary>
    public async Task EveryAsync(TimeSpan interval, Func<Task> fault)
    {
        while (!over.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(interval, over);
                await wire.WhenThereAsync(over);
                await fault();
            }
            catch (Exception exception) when (exception is OperationCanceledException or IOException or SocketException or WebSocketException or HttpRequestException)
            {
                // The run is over, or the server went away meanwhile.
            }
        }
    }

    /// <summary>Comes, says something, and goes: in order, or not.</summary>
    public async Task ChurnAsync(Random random)
    {
        using var socket = await wire.ConnectAsync(over, isKept: false);
        await Wire.HandshakeAsync(socket, "/ws", null, over);
        await using var connection = Clients.Open(socket, isCompressed: false);
        await connection.SendAsync("churn", over);
        await connection.ReceiveAsync(over);
        if (random.Next(3) == 0)
            connection.Abort();
        else
            await connection.CloseAsync(WebSocketCloseStatus.NormalClosure, null, over);
        tally.Add(Kind.Churned);
    }

    /// <summary>Asks for much and reads nothing: the write deadline must end it.</summary>
    public async Task ReadSlowlyAsync(bool isEventStream)
    {
        var generation = wire.Generation;
        using var socket = await wire.ConnectAsync(over, isKept: false, receiveBuffer: 4096);
        if (isEventStream)
            await socket.SendAsync(Encoding.ASCII.GetBytes("GET /topics?topic=heavy HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n"), SocketFlags.None, over);
        else
            await Wire.HandshakeAsync(socket, "/topics?topic=heavy", null, over);
        tally.Add(Kind.SlowReader);
        // A reset is seen without a read: what there would be to read is thrown away. A drain ends it otherwise.
        var waited = Stopwatch.StartNew();
        while (wire.Generation == generation && !wire.IsAway)
        {
            if (socket.Poll(TimeSpan.Zero, SelectMode.SelectError))
            {
                tally.Add(Kind.SlowReaderEnded);
                return;
            }

            if (waited.Elapsed > SlowReaderBound && (await Child.StatsAsync(http, wire, "/stats")).SinceStandstill > StandstillBound.TotalSeconds)
            {
                tally.Fail(Kind.NotEnded, $"a slow reader of {(isEventStream ? "an event stream" : "a WebSocket")} was not ended");
                return;
            }

            await Task.Delay(1000, over);
        }
    }

    /// <summary>Breaks a rule, and must be told and disconnected.</summary>
    public async Task BreakRuleAsync(Random random)
    {
        var generation = wire.Generation;
        using var socket = await wire.ConnectAsync(over, isKept: false);
        await Wire.HandshakeAsync(socket, "/ws", null, over);
        await socket.SendAsync(Hostile[random.Next(Hostile.Length)], SocketFlags.None, over);
        tally.Add(Kind.HostileFrame);
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var received = new byte[256];
        var count = 0;
        try
        {
            while (count < received.Length && await socket.ReceiveAsync(received.AsMemory(count), SocketFlags.None, bound.Token) is > 0 and var more)
                count += more;
            if (received[0] != 0x88 && wire.Generation == generation && !wire.IsAway)
                tally.Fail(Kind.Unexpected, $"a violation was answered with {Convert.ToHexString(received, 0, Math.Min(count, 8))}");
        }
        catch (SocketException)
        {
        }
        catch (OperationCanceledException)
        {
            tally.Fail(Kind.NotEnded, "a peer that broke a rule was not disconnected");
        }
    }

    /// <summary>Sets the server's clocks: the wall to a day ahead or behind, the timestamps by less than a second, and every half minute by two.</summary>
    public async Task JumpAsync(Random random)
    {
        var wall = random.Next(-86_400, 86_400);
        var stamp = (random.NextDouble() * 2 - 1) * (++_jumps % SmallJumps == 0 ? LargeJump : SmallJump);
        using var answer = await http.PostAsync(wire.Uri(string.Create(CultureInfo.InvariantCulture, $"/jump?wall={wall}&stamp={stamp:0.###}")), null, over);
        tally.Add(Kind.ClockJump);
    }

    /// <summary>Garbage and full collections, in both processes.</summary>
    public async Task CollectAsync()
    {
        Garbage.Make();
        using var answer = await http.PostAsync(wire.Uri("/pressure"), null, over);
        tally.Add(Kind.Collection);
    }
}
