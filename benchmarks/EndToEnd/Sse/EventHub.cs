using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.ServerSentEvents;
using System.Threading.Channels;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>Publishes to all streams: each has a bounded channel, as a careful application gives it.</summary>
internal sealed class EventHub(string data)
{
    private readonly ConcurrentDictionary<Channel<SseItem<string>>, bool> _channels = [];

    public Channel<SseItem<string>> Subscribe()
    {
        var channel = Channel.CreateBounded<SseItem<string>>(new BoundedChannelOptions(16) { SingleReader = true, SingleWriter = true });
        _channels[channel] = true;
        return channel;
    }

    public void Unsubscribe(Channel<SseItem<string>> channel) => _channels.TryRemove(channel, out _);

    /// <summary>
    /// Waits until this many streams are there, then sends one event to each, this many times, at this pace or as fast as the slowest
    /// takes them.
    /// </summary>
    public async Task PublishAsync(int streams, int ticks, TimeSpan interval)
    {
        while (_channels.Count < streams)
            await Task.Delay(5);
        var channels = _channels.Keys.ToArray();
        var item = new SseItem<string>(data);
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < ticks; i++)
        {
            foreach (var channel in channels)
                if (!channel.Writer.TryWrite(item))
                    await channel.Writer.WriteAsync(item);
            if (interval > TimeSpan.Zero && (interval * (i + 1)) - Stopwatch.GetElapsedTime(start) is var wait && wait > TimeSpan.Zero)
                await Task.Delay(wait);
        }
    }
}
