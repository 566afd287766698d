using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text;
using System.Threading.Channels;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>
/// <c>TypedResults.ServerSentEvents</c> with a channel for each stream, as long as a topic's history. A stream that lags behind more loses
/// its oldest events, and nobody waits for it.
/// </summary>
internal sealed class ResultStreams : IFanOut
{
    private readonly SubscriberList<Channel<SseItem<string>>> _channels = new();

    public int Subscribers => _channels.Count;

    public void Map(WebApplication app) => app.MapGet("/sse", () => TypedResults.ServerSentEvents(ReadAsync()));

    public ValueTask PublishAsync(ReadOnlyMemory<byte> message)
    {
        var item = new SseItem<string>(Encoding.ASCII.GetString(message.Span));
        foreach (var channel in _channels.Snapshot())
            channel.Writer.TryWrite(item);
        return default;
    }

    private async IAsyncEnumerable<SseItem<string>> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var channel = Channel.CreateBounded<SseItem<string>>(
            new BoundedChannelOptions(1_000) { SingleReader = true, SingleWriter = true, FullMode = BoundedChannelFullMode.DropOldest });
        _channels.Add(channel);
        try
        {
            while (await channel.Reader.WaitToReadAsync(cancellationToken))
                while (channel.Reader.TryRead(out var item))
                    yield return item;
        }
        finally
        {
            _channels.Remove(channel);
        }
    }
}
