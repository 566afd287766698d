using System.IO.Compression;

namespace RealtimeKit.Security.Tests;

/// <summary>SECURITY.md, decompression bomb: a few kilobytes that become a gigabyte.</summary>
public class DecompressionBombTests
{
    private const string Extension = "Sec-WebSocket-Extensions: permessage-deflate";

    public static TheoryData<Wire> AllWires => [Wire.Pipes, Wire.Http2];

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Bomb_OverTheSizeOfAMessage_IsEndedWith1009(Wire wire) =>
        // The ratio is off: the size alone must hold.
        AssertHeld(await AttackAsync(wire, Bomb(256 << 20), options => options.Compression!.MaxInflateRatio = 0), 8 * RetainedMemory.MiB);

    [Fact(Timeout = Until.Bound)]
    public async Task Bomb_LimitOnTheSizeOff_Succeeds()
    {
        var outcome = await AttackAsync(Wire.Pipes, Bomb(64 << 20), options =>
        {
            options.Compression!.MaxInflateRatio = 0;
            options.Connection.MaxMessageSize = 1 << 30;
        });
        outcome.LargestMessage.Should().Be(64 << 20);
        Proof.FailsWithoutTheLimit(() => AssertHeld(outcome, 8 * RetainedMemory.MiB));
        outcome.Taken.Should().BeGreaterThan(20 * RetainedMemory.MiB, "so the bound that is tested is one that means something");
    }

    // Within the size, but all of it out of nothing: the work of inflating is what hurts.
    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Bomb_OverTheRatio_IsEndedWith1009(Wire wire) =>
        AssertHeld(await AttackAsync(wire, Bomb(900_000), static _ => { }), 8 * RetainedMemory.MiB);

    [Fact(Timeout = Until.Bound)]
    public async Task Bomb_RatioOff_Succeeds()
    {
        var outcome = await AttackAsync(Wire.Pipes, Bomb(900_000), static options => options.Compression!.MaxInflateRatio = 0);
        outcome.LargestMessage.Should().Be(900_000);
        Proof.FailsWithoutTheLimit(() => AssertHeld(outcome, 8 * RetainedMemory.MiB));
    }

    // A handler that streams has no limit on the size: what is inflated before the ratio ends it is bounded, and so is the work.
    [Theory(Timeout = Until.Bound), InlineData(100), InlineData(0)]
    public async Task Bomb_WhileStreamed_InflatesNoMoreThanTheRatio(int ratio)
    {
        var bomb = Bomb(256 << 20);
        long streamed = 0;
        await using var server = await Hosts.StartAsync(
            Wire.Pipes,
            options => options.Compression = new() { MaxInflateRatio = ratio },
            connection => Hosts.StreamAsync(connection, length => streamed += length));
        await using var bystander = await Bystander.JoinAsync(server);
        await using var peer = await Peer.ConnectAsync(server, "/ws", Extension);
        var before = RetainedMemory.Measure();
        var status = await peer.FloodAsync(RawWebSocket.Frame(2, bomb, reserved: 4), 1);
        void AssertBounded()
        {
            status.Should().Be(WebSocketCloseStatus.MessageTooBig);
            streamed.Should().BeLessThanOrEqualTo((64 << 10) + (100L * bomb.Length));
        }

        if (ratio == 0)
            Proof.FailsWithoutTheLimit(AssertBounded);
        else
            AssertBounded();
        RetainedMemory.Since(before).Should().BeLessThan(4 * RetainedMemory.MiB, "streamed is never held whole, limit or not");
        await bystander.IsServedAsync();
    }

    // One fragment at a time, so that no single read shows the size.
    [Fact(Timeout = Until.Bound)]
    public async Task Bomb_InFragments_IsEndedWith1009()
    {
        await using var server = await Hosts.StartAsync(Wire.Pipes, static options => options.Compression = new());
        await using var bystander = await Bystander.JoinAsync(server);
        await using var peer = await Peer.ConnectAsync(server, "/ws", Extension);
        var bomb = Bomb(64 << 20);
        var frames = bomb.Chunk(100).Select((part, i) => RawWebSocket.Frame(i == 0 ? 2 : 0, part, isFinal: (i + 1) * 100 >= bomb.Length, reserved: i == 0 ? 4 : 0));
        var before = RetainedMemory.Measure();
        (await peer.FloodAsync(frames.SelectMany(frame => frame).ToArray(), 1)).Should().Be(WebSocketCloseStatus.MessageTooBig);
        RetainedMemory.Since(before).Should().BeLessThan(8 * RetainedMemory.MiB);
        await bystander.IsServedAsync();
    }

    // Nothing comes out, however much goes in: blocks without a symbol, each with tables to build. The work is a multiple of what was sent.
    [Fact(Timeout = Until.Bound)]
    public async Task Blocks_OfNothing_AreWorkThatEnds()
    {
        await using var server = await Hosts.StartAsync(Wire.Pipes, static options => options.Compression = new());
        await using var bystander = await Bystander.JoinAsync(server);
        await using var peer = await Peer.ConnectAsync(server, "/ws", Extension);
        var bits = new BitString();
        while (bits.Length < 8 * 900_000)
            bits.AddEmptyDynamicBlock();
        // The last one, of stored bytes, ends on a byte: its tail is what a sender leaves out (RFC 7692 §7.2.1).
        await peer.SendAsync(RawWebSocket.Frame(1, bits.Add(0, 3).ToArray(), reserved: 4));
        await bystander.IsConnectedAsync();
        await peer.SendAsync(RawWebSocket.Text("done"));
        var first = (await peer.ReceiveAsync())!;
        first.Opcode.Should().Be(1, first.CloseStatus?.ToString());
        first.Payload.Should().BeEmpty();
        (await peer.ReceiveAsync())!.Text.Should().Be("done");
        await bystander.IsServedAsync();
    }

    private static void AssertHeld((WebSocketCloseStatus? Status, long Taken, long LargestMessage) outcome, long bound)
    {
        outcome.Status.Should().Be(WebSocketCloseStatus.MessageTooBig);
        outcome.LargestMessage.Should().Be(0, "the application never sees it");
        outcome.Taken.Should().BeLessThan(bound, "inflating stops at the limit: the rest is never made");
    }

    private static async Task<(WebSocketCloseStatus? Status, long Taken, long LargestMessage)> AttackAsync(
        Wire wire, byte[] bomb, Action<WebSocketEndpointOptions> configure)
    {
        long largest = 0;
        await using var server = await Hosts.StartAsync(
            wire,
            options =>
            {
                options.Compression = new();
                configure(options);
            },
            async connection =>
            {
                await foreach (var message in connection.ReadAllAsync())
                    Volatile.Write(ref largest, Math.Max(largest, message.Payload.Length));
            });
        await using var bystander = await Bystander.JoinAsync(server);
        await using var peer = await Peer.ConnectAsync(server, "/ws", Extension);
        var frame = RawWebSocket.Frame(2, bomb, reserved: 4);
        await bystander.IsConnectedAsync();
        var before = Taken();
        var status = await peer.FloodAsync(frame, 1);
        if (status is null)
            await Until.TrueAsync(() => Volatile.Read(ref largest) > 0);   // a pong does not say that the message before it was handed over
        var taken = Taken() - before;
        await bystander.IsServedAsync();
        return (status, taken, largest);
    }

    // What is made, and what is rented, whether the pool had to make it or not.
    private static long Taken() => GC.GetTotalAllocatedBytes(precise: true) + RentedBytes.Total;

    /// <summary>So many zeros, as one message of permessage-deflate: about a thousandth of that.</summary>
    private static byte[] Bomb(int size)
    {
        var compressed = new MemoryStream();
        using (var deflate = new DeflateStream(compressed, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            var zeros = new byte[1 << 20];
            for (var left = size; left > 0; left -= zeros.Length)
                deflate.Write(zeros, 0, Math.Min(left, zeros.Length));
            deflate.Flush();
        }

        // RFC 7692 §7.2.1: up to the empty block that a sync flush ends with, which is left out.
        var bytes = compressed.ToArray();
        return bytes[..(bytes.AsSpan().LastIndexOf((ReadOnlySpan<byte>)[0x00, 0x00, 0xFF, 0xFF]))];
    }
}
