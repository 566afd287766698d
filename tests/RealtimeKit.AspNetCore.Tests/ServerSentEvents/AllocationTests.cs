using Microsoft.AspNetCore.Builder;
using RealtimeKit.AspNetCore.Tests.WebSockets;
using RealtimeKit.ServerSentEvents;

namespace RealtimeKit.AspNetCore.Tests.ServerSentEvents;

/// <summary>What a handler's writes allocate on its thread, Kestrel's part of them included.</summary>
[Collection(nameof(Alone))]
public class AllocationTests
{
    // Together less than Kestrel's output takes without waiting for the client: a flush that waits costs a state machine.
    private const int Group = 40;
    private const int Groups = 200;

    [Theory(Timeout = Until.Bound)]
    [InlineData(Wire.Pipes, 16)]
    [InlineData(Wire.Pipes, 1000)]
    public async Task Write_CompletesAtOnce_AllocatesNothing(Wire wire, int size)
    {
        var text = new string('x', size);
        var prepared = PreparedServerSentEvent.Create(text);
        var next = new SemaphoreSlim(0);
        var allocated = new List<long>();
        await using var server = await TestServerHost.StartAsync(wire, app => app.MapServerSentEvents("/sse", async (events, cancel) =>
        {
            for (var i = 0; i < Groups; i++)
            {
                await next.WaitAsync(cancel);
                var before = GC.GetAllocatedBytesForCurrentThread();
                var thread = Environment.CurrentManagedThreadId;
                for (var j = 0; j < Group; j += 2)
                {
                    await events.WriteAsync(prepared, "1", CancellationToken.None);
                    await events.WriteAsync(text, id: "1", cancellationToken: CancellationToken.None);
                }

                if (Environment.CurrentManagedThreadId == thread)
                    allocated.Add(GC.GetAllocatedBytesForCurrentThread() - before);
            }
        }));
        using var stream = await EventStream.OpenedAsync(server);
        for (var i = 0; i < Groups; i++)
        {
            next.Release();
            for (var j = 0; j < Group; j++)
                (await stream.ReadAsync()).Should().Be($"id: 1\ndata: {text}");
        }

        (await stream.ReadAsync()).Should().BeNull();   // the handler has returned, and adds nothing more

        // Pools fill and methods are compiled anew now and then.
        allocated.Count(bytes => bytes == 0).Should().BeGreaterThan(Groups / 2);
    }
}
