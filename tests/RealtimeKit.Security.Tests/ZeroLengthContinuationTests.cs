namespace RealtimeKit.Security.Tests;

/// <summary>SECURITY.md, zero-length continuation flood: frames that carry nothing and so pass a limit on bytes, for ever.</summary>
public class ZeroLengthContinuationTests
{
    public static TheoryData<Wire, bool> All => new()
    {
        { Wire.Pipes, false }, { Wire.Pipes, true }, { Wire.Stream, false }, { Wire.Http2, false }, { Wire.Http2, true },
    };

    [Theory(Timeout = Until.Bound), MemberData(nameof(All))]
    public async Task Flood_OfEmptyFrames_IsEndedWith1008(Wire wire, bool isCompressed) => AssertHeld(await AttackAsync(wire, isCompressed, 1024));

    [Theory(Timeout = Until.Bound), MemberData(nameof(All))]
    public async Task Flood_LimitOff_Succeeds(Wire wire, bool isCompressed)
    {
        var outcome = await AttackAsync(wire, isCompressed, int.MaxValue);
        Proof.FailsWithoutTheLimit(() => AssertHeld(outcome));
        outcome.Retained.Should().BeLessThan(2 * RetainedMemory.MiB, "nothing was carried, so nothing is held even then");
    }

    // An application that streams sees no end of the message either.
    [Theory(Timeout = Until.Bound), InlineData(1024), InlineData(int.MaxValue)]
    public async Task Flood_WhileStreamed_IsEndedWith1008(int limit)
    {
        var reads = 0;
        await using var server = await Hosts.StartAsync(
            Wire.Pipes,
            options => options.Connection.MaxFragmentsPerMessage = limit,
            connection => Hosts.StreamAsync(connection, _ => reads++));
        await using var bystander = await Bystander.JoinAsync(server);
        await using var peer = await Peer.ConnectAsync(server);
        var status = await FloodAsync(peer, 1);
        void AssertEnded() => status.Should().Be(WebSocketCloseStatus.PolicyViolation);
        if (limit == int.MaxValue)
            Proof.FailsWithoutTheLimit(AssertEnded);
        else
            AssertEnded();
        reads.Should().BeLessThan(1000, "a frame without payload is nothing to tell the application about");
        await bystander.IsServedAsync();
    }

    private static void AssertHeld((WebSocketCloseStatus? Status, long Retained) outcome)
    {
        outcome.Status.Should().Be(WebSocketCloseStatus.PolicyViolation);
        outcome.Retained.Should().BeLessThan(2 * RetainedMemory.MiB);
    }

    private static async Task<(WebSocketCloseStatus? Status, long Retained)> AttackAsync(Wire wire, bool isCompressed, int limit)
    {
        await using var server = await Hosts.StartAsync(wire, options =>
        {
            options.Connection.MaxFragmentsPerMessage = limit;
            options.Compression = isCompressed ? new() : null;
        });
        await using var bystander = await Bystander.JoinAsync(server);
        await using var peer = await Peer.ConnectAsync(server, "/ws", isCompressed ? ["Sec-WebSocket-Extensions: permessage-deflate"] : []);
        var before = RetainedMemory.Measure();
        var status = await FloodAsync(peer, isCompressed ? 1 | 0x40 : 1);
        var retained = RetainedMemory.Since(before);
        await bystander.IsServedAsync();
        return (status, retained);
    }

    private static async Task<WebSocketCloseStatus?> FloodAsync(RawWebSocket peer, int firstByte)
    {
        await peer.SendAsync([(byte)firstByte, 0x80, 0x37, 0xFA, 0x21, 0x3D]);
        return await peer.FloodAsync(Enumerable.Repeat(RawWebSocket.Frame(0, default, isFinal: false), 1000).SelectMany(frame => frame).ToArray(), 50);
    }
}
