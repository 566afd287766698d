using System.Net.WebSockets;
using Microsoft.Extensions.Time.Testing;
using RealtimeKit.WebSockets.Tests.Connection.Kit;

namespace RealtimeKit.WebSockets.Tests.Connection.Limits;

public class RealtimeMemoryBudgetTests
{
    // Stands still: those that are told to go are given a second.
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public async Task OverTheBudget_TheHeaviestAreClosedWith1013AndTheOthersGoOn()
    {
        using var meters = new Meters();
        var budget = new RealtimeMemoryBudget(3 << 20, 1600 << 10);
        var harnesses = new List<Harness>();
        var receives = new List<Task<WebSocketMessage>>();
        foreach (var size in new[] { 40_000, 500_000, 100_000, 900_000, 200_000, 60_000 })   // buffers of 64 KiB, 512 KiB, 128 KiB, 1 MiB, 256 KiB, 64 KiB
            await BeginMessageAsync(size);
        await Bounds.Until(() => budget.RetainedBytes > 1_700_000);
        budget.ShedConnections.Should().Be(0, "the budget is not used up");

        await BeginMessageAsync(900_000);
        await BeginMessageAsync(500_000);   // goes over it
        await Bounds.Until(() => budget.ShedConnections == 2);
        foreach (var heaviest in new[] { 3, 6 })
        {
            (await harnesses[heaviest].Peer.ReadAsync(Frames.Close)).CloseCode.Should().Be(1013);
            await harnesses[heaviest].Peer.SendBytesAsync(new byte[1_048_576 - 900_000]);
            await harnesses[heaviest].Peer.SendAsync(Frames.CloseFrame(1013));
            await receives[heaviest].Within();
            await harnesses[heaviest].DisposeAsync();
        }

        await Bounds.Until(() => budget.RetainedBytes <= budget.LowWaterBytes);
        foreach (var other in new[] { 0, 1, 2, 4, 5, 7 })
        {
            var rest = 1_048_576 - (int)(other switch { 0 => 40_000, 1 or 7 => 500_000, 2 => 100_000, 4 => 200_000, _ => 60_000 });
            await harnesses[other].Peer.SendBytesAsync(new byte[rest]);
            (await receives[other].Within()).Payload.Length.Should().Be(1_048_576);
            await harnesses[other].DisposeAsync();
        }

        budget.ShedConnections.Should().Be(2);
        budget.RetainedBytes.Should().Be(0);
        meters.Sum("memory.shed", "role=server").Should().Be(2);

        async Task BeginMessageAsync(int size)
        {
            var harness = await Harness.CreateAsync(Wire.Pipe, options =>
            {
                options.MemoryBudget = budget;
                options.MeterFactory = meters;
                options.TimeProvider = _clock;
            });
            harnesses.Add(harness);
            receives.Add(harness.Connection.ReceiveAsync().AsTask());
            await harness.Peer.SendBytesAsync(Frames.Frame(Frames.Binary, new byte[size], declared: 1_048_576));
            await Bounds.Until(() => harness.Connection.RetainedBytes >= size);
        }
    }

    [Fact]
    public async Task OverTheBudget_PeerThatDoesNotRead_IsAborted()
    {
        var budget = new RealtimeMemoryBudget(1 << 20);
        StallingStream? stream = null;
        var harness = Harness.Over(inner => stream = new StallingStream(inner), options => options.MemoryBudget = budget);
        stream!.Stall();
        await harness.Connection.SendAsync(new byte[2_000_000], WebSocketMessageType.Binary);
        await Bounds.Until(() => harness.Connection.State == WebSocketState.Aborted);
        budget.ShedConnections.Should().Be(1);
        await harness.DisposeAsync();
        await Bounds.Until(() => budget.RetainedBytes == 0);
    }

    // A peer that neither answers the Close nor goes: it is given a second.
    [Fact]
    public async Task OverTheBudget_PeerIgnoresTheClose_IsAborted()
    {
        var budget = new RealtimeMemoryBudget(1 << 20);
        var harness = await Harness.CreateAsync(Wire.Pipe, options =>
        {
            options.MemoryBudget = budget;
            options.MaxMessageSize = 10 << 20;
            options.TimeProvider = _clock;
        });
        var receive = harness.Connection.ReceiveAsync().AsTask();
        await harness.Peer.SendBytesAsync(Frames.Frame(Frames.Binary, new byte[1_100_000], declared: 10_000_000));
        (await harness.Peer.ReadAsync(Frames.Close)).CloseCode.Should().Be(1013);
        (await _clock.PassUntil(receive, TimeSpan.FromSeconds(2))).Type.Should().Be(WebSocketMessageType.Close);
        harness.Connection.CloseResult!.Value.Status.Should().Be((WebSocketCloseStatus)1013);
        await harness.DisposeAsync();
        await Bounds.Until(() => budget.RetainedBytes == 0);
    }

    [Fact]
    public void Create_OutOfRange_IsRefused()
    {
        foreach (var create in new Func<RealtimeMemoryBudget>[] { () => new(1000), () => new(1 << 20, -1), () => new(1 << 20, (1 << 20) + 1) })
            create.Should().Throw<ArgumentOutOfRangeException>();
        new RealtimeMemoryBudget(10 << 20).LowWaterBytes.Should().Be(8 << 20);
    }
}
