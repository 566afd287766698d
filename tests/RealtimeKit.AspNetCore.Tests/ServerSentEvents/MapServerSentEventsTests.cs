using System.Net;
using System.Net.ServerSentEvents;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using RealtimeKit.AspNetCore.Tests.WebSockets;
using RealtimeKit.ServerSentEvents;

namespace RealtimeKit.AspNetCore.Tests.ServerSentEvents;

public class MapServerSentEventsTests
{
    public static TheoryData<Wire> AllWires => EventWires.All;

    [Fact(Timeout = Until.Bound)]
    public async Task Map_ManyStreamsOneAfterTheOther_ConnectionIsReused()
    {
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, app => app.MapServerSentEvents("/sse", (_, http) => Items(http.Connection.Id)));
        using var http = TestServerHost.NewInvoker();
        var bodies = new HashSet<string>();
        for (var i = 0; i < 20; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, server.HttpUri("/sse"));
            using var response = await http.SendAsync(request, Until.Cancelled);
            bodies.Add(await response.Content.ReadAsStringAsync(Until.Cancelled));
        }

        bodies.Should().ContainSingle("a stream that ended leaves its connection as it found it");
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Map_HandlerThrowsWithinTheStream_ResponseIsCutOffAfterItsEvents(Wire wire)
    {
        // A reset that arrives before the events are read takes them along on HTTP/2.
        var isRead = new TaskCompletionSource();
        await using var server = await TestServerHost.StartAsync(wire, app => app.MapServerSentEvents("/sse", async (events, cancel) =>
        {
            await events.WriteAsync("before", cancellationToken: cancel);
            await isRead.Task.WaitAsync(cancel);
            throw new InvalidOperationException("broken");
        }));
        using var stream = await EventStream.OpenedAsync(server);
        (await stream.ReadAsync()).Should().Be("data: before");
        isRead.SetResult();
        await stream.Invoking(s => s.ReadAsync()).Should().ThrowAsync<IOException>("a stream that failed must not look complete");
        await Until.TrueAsync(() => server.Logs.Ours.Any(record => record.Event.Name == "StreamEnded" && record.Message.EndsWith("HandlerFailed.", StringComparison.Ordinal)));
        server.Logs.All.Should().Contain(record => record.Level == LogLevel.Error && record.Exception!.Message == "broken");
    }

    private static async Task<List<string>> ReadAsync(TestServerHost server, string path, params (string Name, string Value)[] headers)
    {
        using var stream = await EventStream.OpenedAsync(server, path, headers);
        return await stream.ReadToEndAsync();
    }

    private static async IAsyncEnumerable<SseItem<T>> Items<T>(params T[] values)
    {
        var id = 0;
        foreach (var value in values)
        {
            await Task.Yield();
            yield return new SseItem<T>(value) { EventId = $"{++id}" };
        }
    }
}
