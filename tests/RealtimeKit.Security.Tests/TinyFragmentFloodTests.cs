using Microsoft.Extensions.Time.Testing;

namespace RealtimeKit.Security.Tests;

/// <summary>SECURITY.md, tiny-fragment flood: many frames of one byte, whose bookkeeping would weigh more than what they carry.</summary>
public class TinyFragmentFloodTests
{
    private const int FramesPerChunk = 500;

    public static TheoryData<Wire> AllWires => [Wire.Pipes, Wire.Stream, Wire.Http2];

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Flood_OfFragments_IsEndedWith1008(Wire wire) => AssertHeld(await AttackAsync(wire, static _ => { }, "x"));

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Flood_LimitOff_Succeeds(Wire wire)
    {
        var outcome = await AttackAsync(wire, static options => options.Connection.MaxFragmentsPerMessage = int.MaxValue, "x");
        Proof.FailsWithoutTheLimit(() => AssertHeld(outcome));

        // What the limit's absence does not cost: a fragment is bytes in a pooled buffer, not an object.
        outcome.Retained.Should().BeLessThan(2 * RetainedMemory.MiB, "40,000 fragments carry 40,000 bytes");
    }

    // Pings between the fragments are no new message, and no way around the count.
    [Fact(Timeout = Until.Bound)]
    public async Task Flood_MixedWithControlFrames_IsEndedWith1008()
    {
        await using var server = await Hosts.StartAsync(Wire.Pipes, static options => options.Connection.ControlFramesPerSecond = options.Connection.ControlFrameBurst = 1_000_000);
        await using var bystander = await Bystander.JoinAsync(server);
        await using var peer = await Peer.ConnectAsync(server);
        await peer.SendAsync(RawWebSocket.Frame(1, "x"u8, isFinal: false));
        byte[] chunk = [.. RawWebSocket.Frame(0, "x"u8, isFinal: false), .. RawWebSocket.Frame(9, "p"u8), .. RawWebSocket.Frame(10, "q"u8)];
        (await peer.FloodAsync(chunk, 5000)).Should().Be(WebSocketCloseStatus.PolicyViolation);
        await bystander.IsServedAsync();
    }

    // Many connections, each just below the limit: what is held is what was sent, and little more.
    [Fact(Timeout = Until.Bound)]
    public async Task Fragments_JustBelowTheLimitOnManyConnections_HoldLittle()
    {
        const int Connections = 200;
        await using var server = await Hosts.StartAsync(Wire.Pipes);
        await using var bystander = await Bystander.JoinAsync(server);
        var before = RetainedMemory.Measure();
        var peers = new List<RawWebSocket>();
        var fragments = Enumerable.Repeat(RawWebSocket.Frame(0, "x"u8, isFinal: false), 1000).SelectMany(frame => frame).ToArray();
        for (var i = 0; i < Connections; i++)
        {
            peers.Add(await Peer.ConnectAsync(server));
            await peers[i].SendAsync(RawWebSocket.Frame(1, "x"u8, isFinal: false), fragments, RawWebSocket.Frame(9, "are you there?"u8));
            (await peers[i].ReadCloseAsync()).Should().BeNull("a thousand fragments are allowed");
        }

        (RetainedMemory.Since(before) / Connections).Should().BeLessThan(64 * RetainedMemory.KiB, "200,000 objects of some hundred bytes would take ten times as much");
        await bystander.IsServedAsync();
        foreach (var peer in peers)
            await peer.DisposeAsync();
    }

    [Theory(Timeout = Until.Bound), InlineData(true), InlineData(false)]
    public async Task Message_NeverFinished_IsEndedWith1008AtItsDeadline(bool isLimited)
    {
        var time = new FakeTimeProvider();
        await using var server = await Hosts.StartAsync(Wire.Pipes, options =>
        {
            options.Connection.TimeProvider = time;
            options.Connection.KeepAliveInterval = Timeout.InfiniteTimeSpan;
            if (!isLimited)
                options.Connection.MessageTimeout = Timeout.InfiniteTimeSpan;
        });
        await using var bystander = await Bystander.JoinAsync(server);
        await using var peer = await Peer.ConnectAsync(server);
        await peer.SendAsync(RawWebSocket.Frame(1, "x"u8, isFinal: false), RawWebSocket.Frame(9, "begun"u8));
        (await peer.ReceiveAsync())!.Text.Should().Be("begun");
        time.Pass(TimeSpan.FromSeconds(31));
        await peer.SendAsync(RawWebSocket.Frame(9, "are you there?"u8));
        var status = await peer.ReadCloseAsync();
        void AssertEnded() => status.Should().Be(WebSocketCloseStatus.PolicyViolation);
        if (isLimited)
            AssertEnded();
        else
            Proof.FailsWithoutTheLimit(AssertEnded);
        await bystander.IsServedAsync();
    }

    private static void AssertHeld((WebSocketCloseStatus? Status, long Retained) outcome)
    {
        outcome.Status.Should().Be(WebSocketCloseStatus.PolicyViolation, "RFC 6455 §7.4.1 has no code of its own for it");
        outcome.Retained.Should().BeLessThan(2 * RetainedMemory.MiB);
    }

    private static async Task<(WebSocketCloseStatus? Status, long Retained)> AttackAsync(Wire wire, Action<WebSocketEndpointOptions> configure, string payload)
    {
        await using var server = await Hosts.StartAsync(wire, configure);
        await using var bystander = await Bystander.JoinAsync(server);
        await using var peer = await Peer.ConnectAsync(server);
        var chunk = Enumerable.Repeat(RawWebSocket.Frame(0, Encoding.UTF8.GetBytes(payload), isFinal: false), FramesPerChunk).SelectMany(frame => frame).ToArray();
        var before = RetainedMemory.Measure();
        await peer.SendAsync(RawWebSocket.Frame(1, "x"u8, isFinal: false));
        var status = await peer.FloodAsync(chunk, 80);
        var retained = RetainedMemory.Since(before);
        await bystander.IsServedAsync();
        return (status, retained);
    }
}
