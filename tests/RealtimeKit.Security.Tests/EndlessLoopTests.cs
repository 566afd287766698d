namespace RealtimeKit.Security.Tests;

/// <summary>SECURITY.md, endless loop on one frame: input that stops anywhere, and a parser that neither consumes nor returns.</summary>
public class EndlessLoopTests
{
    private static readonly byte[][] Frames =
    [
        RawWebSocket.Text("a"),
        RawWebSocket.Frame(1, Encoding.UTF8.GetBytes("äöü€𝄞"), isFinal: false),
        RawWebSocket.Frame(9, "ping"u8),
        RawWebSocket.Frame(0, default, isFinal: false),
        RawWebSocket.Frame(10, default),
        RawWebSocket.Frame(0, Encoding.UTF8.GetBytes("𝄞")),
        RawWebSocket.Frame(2, new byte[126]),
        RawWebSocket.Frame(2, default),
        RawWebSocket.Frame(9, default),
        RawWebSocket.Frame(2, new byte[300]),
    ];

    public static TheoryData<Wire> AllWires => [Wire.Pipes, Wire.Stream, Wire.Http2, Wire.PipesTls];

    // A TCP segment, or a frame of HTTP/2, for each byte.
    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Frames_ByteByByte_AreAnsweredAsIfWhole(Wire wire)
    {
        await using var server = await Hosts.StartAsync(wire);
        await using var bystander = await Bystander.JoinAsync(server);
        await using var peer = await Peer.ConnectAsync(server);
        var receiving = ReceiveAsync(peer, 7);
        foreach (var one in Frames.SelectMany(frame => frame))
            await peer.SendAsync([one]);
        var answers = await receiving;
        answers.Select(answer => (answer.Opcode, answer.Payload.Length)).Should().Equal(
            (1, 1), (10, 4), (1, Encoding.UTF8.GetByteCount("äöü€𝄞𝄞")), (2, 126), (2, 0), (10, 0), (2, 300));
        await bystander.IsServedAsync();
    }

    // Each beginning of each frame, left lying on a connection of its own: nobody works on what cannot be worked on.
    [Theory(Timeout = Until.Bound), InlineData(Wire.Pipes, false), InlineData(Wire.Stream, false), InlineData(Wire.Pipes, true)]
    public async Task Beginnings_OfFrames_KeepNobodyBusy(Wire wire, bool isSpinning)
    {
        await using var server = await Hosts.StartAsync(wire, static options => options.Compression = new());
        await using var bystander = await Bystander.JoinAsync(server);
        var beginnings = Frames.SelectMany(frame => Enumerable.Range(1, Math.Min(frame.Length - 1, 20)).Select(length => frame[..length]))
            .Append([0xC1, 0x8A, 0, 0, 0, 0, 0x4B, 0xFC]).Append([0xC1, 0xFE]).Append([0x82, 0xFF, 0, 0, 0, 0, 0]).ToList();
        var peers = new List<RawWebSocket>();
        foreach (var beginning in beginnings)
        {
            peers.Add(await Peer.ConnectAsync(server, "/ws", "Sec-WebSocket-Extensions: permessage-deflate"));
            await peers[^1].SendAsync(beginning);
        }

        await bystander.IsServedAsync();
        using var stop = new CancellationTokenSource();
        if (isSpinning)
        {
            // The proof that the assertion below can fail: one connection that spins would be enough.
            _ = Task.Run(() =>
            {
                while (!stop.IsCancellationRequested)
                    Thread.SpinWait(1000);
            });
        }

        var busy = await ProcessorTime.LeastBusyAsync(isSpinning ? 4 : 40);

        // Where the machine is busy with something else, who spins may get nothing for a moment.
        for (var i = 0; isSpinning && busy < 0.2 && i < 40; i++)
            busy = await ProcessorTime.LeastBusyAsync(1);
        await stop.CancelAsync();
        void AssertIdle() => busy.Should().BeLessThan(0.2);
        if (isSpinning)
            Proof.FailsWithoutTheLimit(AssertIdle);
        else
            AssertIdle();
        await bystander.IsServedAsync();
        foreach (var peer in peers)
            peer.Reset();
        await bystander.IsServedAsync();
    }

    // Half of the connection is closed, in the middle of a frame: the end of the stream is the end, not a read that returns nothing for ever.
    [Theory(Timeout = Until.Bound), InlineData(1), InlineData(5), InlineData(8), InlineData(0)]
    public async Task Frame_EndsInTheMiddle_EndsTheConnection(int length)
    {
        await using var server = await Hosts.StartAsync(Wire.Pipes);
        await using var bystander = await Bystander.JoinAsync(server);
        await using var peer = await Peer.ConnectAsync(server);
        await peer.SendAsync(RawWebSocket.Text("half of it")[..length]);
        peer.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
        (await peer.ReadCloseAsync()).Should().NotBeNull();
        await bystander.IsServedAsync();
    }

    private static async Task<List<RawFrame>> ReceiveAsync(RawWebSocket peer, int count)
    {
        var frames = new List<RawFrame>();
        while (frames.Count < count)
            frames.Add((await peer.ReceiveAsync())!);
        return frames;
    }
}
