using RealtimeKit.ServerSentEvents;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>Our event streams without topics: a loop that writes one prepared event to each.</summary>
internal sealed class PreparedEventLoop : IFanOut
{
    private readonly SendLoop<ServerSentEventWriter> _loop = new();

    public int Subscribers => _loop.Members.Count;

    public void Map(WebApplication app) => app.MapServerSentEvents("/sse", async (writer, closed) =>
    {
        _loop.Members.Add(writer);
        try
        {
            await Task.Delay(Timeout.Infinite, closed).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        finally
        {
            _loop.Members.Remove(writer);
        }
    });

    public ValueTask PublishAsync(ReadOnlyMemory<byte> message) => _loop.SendAsync(
        PreparedServerSentEvent.Create(message.Span),
        static (writer, prepared) => writer.WriteAsync(prepared));
}
