using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>
/// The same streams with three implementations: <c>/sse</c> sends what is published, <c>/wait</c> only stays open, <c>/late</c> has its
/// first event after two seconds; <c>/publish</c> feeds them.
/// </summary>
internal static class EventStreams
{
    public static readonly string[] Implementations = ["sse-bare", "sse-framework", "sse-ours"];

    public static void Map(WebApplication app, string implementation, int size)
    {
        var hub = new EventHub(EventText.Data(size));
        app.MapGet("/publish", (int streams, int ticks, int interval) => hub.PublishAsync(streams, ticks, TimeSpan.FromMilliseconds(interval)));
        switch (implementation)
        {
            case "sse-bare":
                MapBare(app, hub, EventText.Wire(size));
                break;
            case "sse-framework":
                app.MapGet("/sse", () => TypedResults.ServerSentEvents(ReadAsync(hub)));
                app.MapGet("/wait", () => TypedResults.ServerSentEvents(WaitAsync()));
                app.MapGet("/late", () => TypedResults.ServerSentEvents(LateAsync()));
                break;
            default:
                app.MapServerSentEvents("/sse", (_, _) => ReadAsync(hub));
                app.MapServerSentEvents("/wait", (_, cancel) => Task.Delay(Timeout.Infinite, cancel));
                app.MapServerSentEvents("/late", (_, _) => LateAsync());
                break;
        }
    }

    // The floor: bytes that were encoded before, written and flushed. No heartbeats, nothing noticed but RequestAborted.
    private static void MapBare(WebApplication app, EventHub hub, byte[] wire)
    {
        app.MapGet("/sse", async context =>
        {
            await StartAsync(context);
            await foreach (var _ in ReadAsync(hub, context.RequestAborted))
                await context.Response.BodyWriter.WriteAsync(wire);
        });
        app.MapGet("/wait", async context =>
        {
            await StartAsync(context);
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });
        app.MapGet("/late", async context =>
        {
            await StartAsync(context);
            await Task.Delay(2000);
            await context.Response.BodyWriter.WriteAsync(Encoding.ASCII.GetBytes("data: late\n\n"));
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });
    }

    private static async Task StartAsync(HttpContext context)
    {
        context.Response.ContentType = "text/event-stream";
        await context.Response.BodyWriter.WriteAsync(Encoding.ASCII.GetBytes(":\n\n"));
    }

    private static async IAsyncEnumerable<SseItem<string>> ReadAsync(EventHub hub, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var channel = hub.Subscribe();
        try
        {
            while (await channel.Reader.WaitToReadAsync(cancellationToken))
                while (channel.Reader.TryRead(out var item))
                    yield return item;
        }
        finally
        {
            hub.Unsubscribe(channel);
        }
    }

    private static async IAsyncEnumerable<SseItem<string>> WaitAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        // Without a first event the framework sends no headers, and its client would not know that the stream is there.
        yield return new SseItem<string>("open");
        await Task.Delay(Timeout.Infinite, cancellationToken);
    }

    private static async IAsyncEnumerable<SseItem<string>> LateAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await Task.Delay(2000, cancellationToken);
        yield return new SseItem<string>("late");
        await Task.Delay(Timeout.Infinite, cancellationToken);
    }
}
