using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using RealtimeKit.AspNetCore.Tests.WebSockets;

namespace RealtimeKit.AspNetCore.Tests.ServerSentEvents;

/// <summary>
/// Nine events with ids, three on each connection, which then ends: in order, cut off, and in order again; after the ninth there is
/// nothing more. What each connection asked for is kept. The second is cut off once its client says that it has heard a heartbeat behind
/// its events.
/// </summary>
internal static class DroppingServer
{
    // One element would do as a page: an EventSource that reports all it sees, and stops once the source is closed for good.
    private const string Page = """
        <!doctype html><meta charset="utf-8"><title>events</title>
        <script>
        const source = new EventSource('/sse');
        let reported = Promise.resolve();
        const report = value => { reported = reported.then(() => window.report(value)); };
        source.onopen = () => report('open');
        source.onmessage = event => report({ data: event.data, id: event.lastEventId });
        source.addEventListener('alive', () => report('alive'));
        source.onerror = () => {
          const isClosed = source.readyState === EventSource.CLOSED;
          report(isClosed ? { closed: null } : 'lost');
          if (isClosed) report(null);
        };
        </script>
        """;

    public static async Task<(TestServerHost Server, ConcurrentQueue<string?> Cursors, TaskCompletionSource Heard)> StartAsync(Wire wire)
    {
        var cursors = new ConcurrentQueue<string?>();
        var heard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var options = new ServerSentEventEndpointOptions
        {
            Retry = TimeSpan.FromMilliseconds(100),
            HeartbeatInterval = TimeSpan.FromMilliseconds(250),
            Writer = new() { HeartbeatEventType = "alive" },
            Accept = (request, _) =>
            {
                cursors.Enqueue(request.LastEventId);
                return ValueTask.FromResult(request.LastEventId != "9");
            },
        };
        var server = await TestServerHost.StartAsync(wire, app =>
        {
            app.MapGet("/", () => Results.Content(Page, "text/html"));
            app.MapServerSentEvents("/sse", options, async (events, request, http, cancel) =>
            {
                var last = int.Parse(request.LastEventId ?? "0", System.Globalization.CultureInfo.InvariantCulture);
                for (var id = last + 1; id <= last + 3; id++)
                    await events.WriteAsync($"event {id}\nwith ä", id: $"{id}", cancellationToken: cancel);
                if (last != 3)
                    return;

                // A reset takes along what has not been read.
                await heard.Task.WaitAsync(cancel);
                http.Abort();
            });
        });
        return (server, cursors, heard);
    }
}
