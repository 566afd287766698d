using System.Buffers.Binary;

namespace RealtimeKit.Security.Tests;

/// <summary>SECURITY.md, frame-length overflow: lengths that a careless sum, cast or allocation believes.</summary>
public class FrameLengthOverflowTests
{
    public static TheoryData<Wire> AllWires => [Wire.Pipes, Wire.Stream, Wire.Http2];

    // RFC 6455 §5.2: the most significant bit must be 0, and the shortest form must be used.
    [Theory(Timeout = Until.Bound)]
    [InlineData(0x82, "FF8000000000000000", "the most significant bit is set")]
    [InlineData(0x82, "FFFFFFFFFFFFFFFFFF", "all bits are set")]
    [InlineData(0x82, "FF800000000000007D", "the most significant bit is set")]
    [InlineData(0x82, "FF0000000000000001", "not the shortest form")]
    [InlineData(0x82, "FF000000000000FFFF", "not the shortest form")]
    [InlineData(0x82, "FE007D", "not the shortest form")]
    [InlineData(0x82, "FE0000", "not the shortest form")]
    [InlineData(0x89, "FE007E", "a control frame has at most 125 bytes (§5.5)")]
    [InlineData(0x89, "FF7FFFFFFFFFFFFFFF", "a control frame has at most 125 bytes (§5.5)")]
    [InlineData(0x88, "FF0000000000010000", "a control frame has at most 125 bytes (§5.5)")]
    [InlineData(0x02, "FF8000000000000000", "the most significant bit is set, in a fragment")]
    public async Task Length_AgainstTheRules_IsEndedWith1002(int firstByte, string length, string why)
    {
        await using var server = await Hosts.StartAsync(Wire.Pipes);
        await using var bystander = await Bystander.JoinAsync(server);
        await using var peer = await Peer.ConnectAsync(server);
        await peer.SendAsync([(byte)firstByte, .. Convert.FromHexString(length), 0x37, 0xFA, 0x21, 0x3D]);
        (await peer.ReadCloseAsync()).Should().Be(WebSocketCloseStatus.ProtocolError, why);
        await bystander.IsServedAsync();
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Length_OverTheLimit_IsEndedWith1009BeforeAByteOfIt(Wire wire)
    {
        foreach (var length in new[] { (1L << 20) + 1, int.MaxValue, 1L << 32, (1L << 32) + 5, long.MaxValue })
            AssertHeld(await AnnounceAsync(wire, 1 << 20, length));
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Length_LimitOff_IsWaitedForButNotAllocated(Wire wire)
    {
        var outcome = await AnnounceAsync(wire, 1 << 30, (1 << 30) - 1);
        Proof.FailsWithoutTheLimit(() => AssertHeld(outcome));
        outcome.Status.Should().BeNull("it waits for a gibibyte");
        outcome.Retained.Should().BeLessThan(4 * RetainedMemory.MiB, "no buffer is made for bytes that have not come");
    }

    // Each frame is small, the sum is not: as it passes the limit, and as it would pass what an integer holds.
    [Theory(Timeout = Until.Bound)]
    [InlineData(900_000, 900_000)]
    [InlineData(1, long.MaxValue)]
    [InlineData(1_048_576, 1)]
    public async Task Lengths_WhoseSumIsOver_AreEndedWith1009(int first, long second)
    {
        await using var server = await Hosts.StartAsync(Wire.Pipes);
        await using var bystander = await Bystander.JoinAsync(server);
        await using var peer = await Peer.ConnectAsync(server);
        await peer.SendAsync(RawWebSocket.Frame(2, new byte[first], isFinal: false), Header(0x00, second));
        (await peer.ReadCloseAsync()).Should().Be(WebSocketCloseStatus.MessageTooBig);
        await bystander.IsServedAsync();
    }

    // A handler that streams has no limit unless it sets one: the length is believed, and costs nothing.
    [Theory(Timeout = Until.Bound), InlineData(long.MaxValue), InlineData(1L << 40)]
    public async Task Length_WhileStreamed_IsBelievedButNotAllocated(long limit)
    {
        long read = 0;
        await using var server = await Hosts.StartAsync(
            Wire.Pipes, options => options.Connection.MaxStreamedMessageSize = limit, connection => Hosts.StreamAsync(connection, length => read += length));
        await using var bystander = await Bystander.JoinAsync(server);
        await using var peer = await Peer.ConnectAsync(server);
        var before = RetainedMemory.Measure();
        await peer.SendAsync(Header(0x82, 1L << 62), new byte[100_000]);
        if (limit == long.MaxValue)
            await Until.TrueAsync(() => read == 100_000);
        else
            (await peer.ReadCloseAsync()).Should().Be(WebSocketCloseStatus.MessageTooBig);
        RetainedMemory.Since(before).Should().BeLessThan(4 * RetainedMemory.MiB);
        await bystander.IsServedAsync();
    }

    private static byte[] Header(int firstByte, long length)
    {
        var header = new byte[14];
        header[0] = (byte)firstByte;
        if (length <= 125)
        {
            header[1] = (byte)(0x80 | length);
            return [.. header[..2], 1, 2, 3, 4];
        }

        header[1] = 0xFF;
        BinaryPrimitives.WriteInt64BigEndian(header.AsSpan(2), length);
        return header;
    }

    private static void AssertHeld((WebSocketCloseStatus? Status, long Retained) outcome)
    {
        outcome.Status.Should().Be(WebSocketCloseStatus.MessageTooBig);
        outcome.Retained.Should().BeLessThan(4 * RetainedMemory.MiB);
    }

    // On many connections, so that a buffer for each would be seen: 32 of a gibibyte.
    private static async Task<(WebSocketCloseStatus? Status, long Retained)> AnnounceAsync(Wire wire, int limit, long length)
    {
        await using var server = await Hosts.StartAsync(wire, options => options.Connection.MaxMessageSize = limit);
        await using var bystander = await Bystander.JoinAsync(server);
        var before = RetainedMemory.Measure();
        var peers = new List<RawWebSocket>();
        WebSocketCloseStatus? status = null;
        for (var i = 0; i < 32; i++)
        {
            var peer = await Peer.ConnectAsync(server);
            peers.Add(peer);
            await peer.SendAsync(Header(0x02, length), new byte[100]);
            if (length > limit)
                status = await peer.ReadCloseAsync();
        }

        await bystander.IsServedAsync();
        var retained = RetainedMemory.Since(before);
        foreach (var peer in peers)
            await peer.DisposeAsync();
        return (status, retained);
    }
}
