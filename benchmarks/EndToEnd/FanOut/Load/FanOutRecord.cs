using System.Text;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>
/// What has been published, as the first subscriber to see each message has told after checking it; all others are compared with that,
/// byte by byte.
/// </summary>
internal sealed class FanOutRecord(int size, int capacity, long newest)
{
    private readonly byte[] _messages = new byte[(long)size * capacity];
    private readonly long[] _publishedAt = new long[capacity];

    /// <summary>The number of the newest message that anybody has seen.</summary>
    public long Newest { get; private set; } = newest;

    public LatencyHistogram? Latencies { get; set; }

    public void Check(long number, ReadOnlySpan<byte> message, long now)
    {
        var slot = (int)(number % capacity);
        var known = _messages.AsSpan(slot * size, size);
        if (number > Newest)
        {
            if (!FanOutMessage.TryRead(message, number, size, out _publishedAt[slot]))
                throw Wrong(number, message);
            message.CopyTo(known);
            Newest = number;
        }
        else if (!message.SequenceEqual(known))
        {
            throw Wrong(number, message);
        }
        Latencies?.Add(_publishedAt[slot], now);
    }

    private static BenchmarkException Wrong(long number, ReadOnlySpan<byte> message) => new(
        FanOutMessage.Number(message) is var came && came >= 0 && came != number
            ? $"A subscriber expected message {number} and got {came}"
            : $"Message {number} differs: {Encoding.ASCII.GetString(message)}");
}
