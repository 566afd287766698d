namespace RealtimeKit.Security.Tests;

/// <summary>SECURITY.md, ping flood and pong queue: answers that pile up for a peer that asks and does not listen.</summary>
public class PingFloodTests
{
    private static readonly byte[] Ping = RawWebSocket.Frame(9, new byte[125]);

    public static TheoryData<Wire> AllWires => [Wire.Pipes, Wire.Stream, Wire.Http2];

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Flood_OfPings_IsEndedWith1008(Wire wire) => AssertEnded(await AttackAsync(wire, 9, isLimited: true));

    [Theory(Timeout = Until.Bound), InlineData(10), InlineData(8)]
    public async Task Flood_OfPongsNobodyAskedFor_IsEnded(int opcode)
    {
        var status = await AttackAsync(Wire.Pipes, opcode, isLimited: true);
        if (opcode == 10)
            AssertEnded(status);
        else
            status.Should().NotBeNull("the first Close frame is the last frame that counts (RFC 6455 §5.5.1)");
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Flood_LimitOff_Succeeds(Wire wire)
    {
        var status = await AttackAsync(wire, 9, isLimited: false);
        Proof.FailsWithoutTheLimit(() => AssertEnded(status));
    }

    // The limit on the rate is off, and the peer reads nothing: of the pongs that cannot leave the newest is kept (RFC 6455 §5.5.3).
    [Theory(Timeout = Until.Bound), InlineData(Wire.Pipes), InlineData(Wire.Stream)]
    public async Task Flood_PeerThatReadsNothing_FillsNoQueue(Wire wire)
    {
        await using var server = await Hosts.StartAsync(wire, Unlimited);
        await using var bystander = await Bystander.JoinAsync(server);
        await using var peer = await Peer.ConnectAsync(server);
        var before = RetainedMemory.Measure();
        var chunk = Enumerable.Repeat(Ping, 500).SelectMany(frame => frame).ToArray();
        for (var sent = 0L; sent < 128 << 20; sent += chunk.Length)
            await peer.Stream.WriteAsync(chunk, Until.Cancelled);
        RetainedMemory.Since(before).Should().BeLessThan(4 * RetainedMemory.MiB, "a queue would hold 128");
        await bystander.IsServedAsync();
    }

    // Deep recursion would need one read with many frames in it.
    [Fact(Timeout = Until.Bound)]
    public async Task Burst_InOneWrite_IsAnsweredInOrderWithoutRecursion()
    {
        await using var server = await Hosts.StartAsync(Wire.Pipes, Unlimited);
        await using var bystander = await Bystander.JoinAsync(server);
        await using var peer = await Peer.ConnectAsync(server);
        const int Count = 100_000;
        var pings = new byte[Count * 10];
        for (var i = 0; i < Count; i++)
            RawWebSocket.Frame(9, BitConverter.GetBytes(i)).CopyTo(pings, i * 10);
        var sending = peer.Stream.WriteAsync(pings, Until.Cancelled).AsTask();
        for (var last = -1; last < Count - 1;)
        {
            var answered = BitConverter.ToInt32((await peer.ReceiveAsync())!.Payload);
            answered.Should().BeGreaterThan(last, "what a newer one replaced is left out, never late");
            last = answered;
        }

        await sending;
        await bystander.IsServedAsync();
    }

    private static void Unlimited(WebSocketEndpointOptions options) => options.Connection.ControlFramesPerSecond = options.Connection.ControlFrameBurst = 1_000_000;

    private static void AssertEnded(WebSocketCloseStatus? status) => status.Should().Be(WebSocketCloseStatus.PolicyViolation);

    private static async Task<WebSocketCloseStatus?> AttackAsync(Wire wire, int opcode, bool isLimited)
    {
        await using var server = await Hosts.StartAsync(wire, options =>
        {
            if (!isLimited)
                Unlimited(options);
        });
        await using var bystander = await Bystander.JoinAsync(server);
        await using var peer = await Peer.ConnectAsync(server);
        var frame = opcode == 8 ? RawWebSocket.Close(1000) : RawWebSocket.Frame(opcode, new byte[125]);
        var status = await peer.FloodAsync(Enumerable.Repeat(frame, 100).SelectMany(bytes => bytes).ToArray(), 100);
        await bystander.IsServedAsync();
        return status;
    }
}
