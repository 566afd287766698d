using System.IO.Pipelines;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>An event's bytes, encoded once, written and flushed to each response by the publisher: the floor of one flush for each event.</summary>
internal sealed class ByteStreams : IFanOut
{
    private readonly SendLoop<PipeWriter> _loop = new();

    public int Subscribers => _loop.Members.Count;

    public void Map(WebApplication app) => app.MapGet("/sse", async context =>
    {
        context.Response.ContentType = "text/event-stream";
        var output = context.Response.BodyWriter;
        await output.WriteAsync(":\n\n"u8.ToArray());
        _loop.Members.Add(output);
        try
        {
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        finally
        {
            _loop.Members.Remove(output);
        }
    });

    public ValueTask PublishAsync(ReadOnlyMemory<byte> message)
    {
        byte[] wire = [.. "data: "u8, .. message.Span, .. "\n\n"u8];
        return _loop.SendAsync(wire, static (output, wire) =>
        {
            var flush = output.WriteAsync(wire);
            return flush.IsCompletedSuccessfully ? default : new ValueTask(flush.AsTask());
        });
    }
}
