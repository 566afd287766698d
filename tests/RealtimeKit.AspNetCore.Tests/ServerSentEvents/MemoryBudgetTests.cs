using Microsoft.Extensions.DependencyInjection;
using RealtimeKit.Topics;
using RealtimeKit.WebSockets;

namespace RealtimeKit.AspNetCore.Tests.ServerSentEvents;

/// <summary>Event streams in the budget of the process, beside its WebSockets: what has been written and not taken counts.</summary>
public class MemoryBudgetTests
{
    private const int MiB = 1 << 20;

    [Theory(Timeout = Until.Bound), InlineData(Wire.Pipes), InlineData(Wire.Http2)]
    public async Task UsedUp_TheStreamForWhichMostWaits_IsCutOffAndTheOthersGoOn(Wire wire)
    {
        var budget = new RealtimeMemoryBudget(20 * MiB);
        var heavyIsOpen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await TestServerHost.StartAsync(
            wire,
            app => app.MapServerSentEvents("/sse", async (events, _, context, closed) =>
            {
                // More than any socket's buffers take, so that it waits for its reader.
                var size = int.Parse(context.Request.Query["size"]!, System.Globalization.CultureInfo.InvariantCulture);
                if (size == 16 * MiB)
                    await heavyIsOpen.Task.WaitAsync(closed);   // the reset would take the opening along
                await events.WriteAsync(new string('x', size), cancellationToken: closed);
                await events.WriteAsync("more", cancellationToken: closed);
                await Task.Delay(Timeout.Infinite, closed);
            }),
            builder => builder.Services.AddSingleton(budget));
        using var idle = await EventStream.OpenedAsync(server, "/sse?size=10");
        (await idle.ReadAsync()).Should().HaveLength("data: ".Length + 10);
        (await idle.ReadAsync()).Should().Be("data: more");
        await Until.TrueAsync(() => budget.RetainedBytes == 0);   // nothing waits for who reads, once its flush has ended

        using var light = await EventStream.OpenedAsync(server, $"/sse?size={8 * MiB}");
        await Until.TrueAsync(() => budget.RetainedBytes >= 8 * MiB);
        budget.ShedConnections.Should().Be(0);
        using var heavy = await EventStream.OpenedAsync(server, $"/sse?size={16 * MiB}");
        heavyIsOpen.SetResult();
        await Until.TrueAsync(() => budget.ShedConnections == 1);
        await Until.TrueAsync(() => server.Logs.Ours.Any(record => record.Event.Id == RealtimeEventIds.StreamShed));
        var cutOff = async () => await heavy.ReadAsync();
        await cutOff.Should().ThrowAsync<Exception>("it was aborted in the middle of an event");

        (await light.ReadAsync()).Should().HaveLength("data: ".Length + (8 * MiB));
        (await light.ReadAsync()).Should().Be("data: more");
        await Until.TrueAsync(() => budget.RetainedBytes == 0);
        budget.ShedConnections.Should().Be(1);
        await Until.TrueAsync(() => server.Logs.Ours.Any(record => record.Event.Id == RealtimeEventIds.StreamEnded));
        server.Logs.Ours.Should().ContainSingle(record => record.Event.Id == RealtimeEventIds.StreamEnded && record.Message.EndsWith("Shed.", StringComparison.Ordinal));
    }

    [Fact(Timeout = Until.Bound)]
    public async Task UsedUp_ByStreamsOfTopicsThatNobodyReads_AnotherGetsEverything()
    {
        const int Unread = 8;
        const int Entries = 16;
        var budget = new RealtimeMemoryBudget(4 * MiB);
        await using var server = await TopicsServer.StartAsync(Wire.Pipes, build: builder => builder.Services.AddSingleton(budget));
        var unread = new List<EventStream>();
        for (var i = 0; i < Unread; i++)
            unread.Add(await EventStream.OpenAsync(server, "/live?topic=a", ("Accept", "text/event-stream")));
        using var reader = await TopicEvents.OpenAsync(server, "/live?topic=b");
        var payload = new byte[MiB - 1024];
        payload.AsSpan().Fill((byte)'x');
        for (var i = 0; i < Entries; i++)
        {
            await server.Hub().PublishAsync("a", payload);
            await server.Hub().PublishAsync("b", $"{i}");
            (await reader.ReadAsync())!.Data.Should().Be($"{i}");
        }

        await Until.TrueAsync(() => budget.ShedConnections > 0 && budget.RetainedBytes <= budget.MaxBytes);
        budget.ShedConnections.Should().BeLessThan(Unread, "what is left fits");
        foreach (var stream in unread)
            stream.Dispose();
        await Until.TrueAsync(() => budget.RetainedBytes == 0);
    }
}
