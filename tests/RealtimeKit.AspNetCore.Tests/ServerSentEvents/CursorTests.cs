using Microsoft.AspNetCore.Builder;

namespace RealtimeKit.AspNetCore.Tests.ServerSentEvents;

public class CursorTests
{
    [Fact(Timeout = Until.Bound)]
    public async Task LastEventId_TwoHeaders_IsRefusedWith400()
    {
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, app =>
            app.MapServerSentEvents("/sse", (events, request, _, cancel) => events.WriteAsync(request.LastEventId ?? "null", cancellationToken: cancel).AsTask()));
        await using var client = await RawRequest.SendAsync(server.Port, "/sse", "Last-Event-ID: 1", "Last-Event-ID: 2");
        (await client.ReadUntilAsync("\r\n")).Should().StartWith("HTTP/1.1 400 ");
    }
}
