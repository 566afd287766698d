using System.Buffers;
using System.Diagnostics;
using System.Net;
using RealtimeKit.Topics;

namespace RealtimeKit.Listener;

/// <summary>Reads what a request brings.</summary>
internal static class RequestBody
{
    // The framework waits for ever for a body that does not come.
    private const int MinBytesPerSecond = 240;
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    // What is too long is let through for a while: a connection that is closed with bytes unread is reset, and the answer lost with it.
    private const int MaxDiscarded = 1 << 20;
    private static readonly TimeSpan DiscardTimeout = TimeSpan.FromSeconds(1);

    /// <summary>Reads a body as it comes: what a client says of its length is believed only where it is too long.</summary>
    /// <exception cref="TopicRefusedException">It is too long, too slow or broken.</exception>
    public static async ValueTask<byte[]> ReadAsync(HttpListenerRequest request, int limit)
    {
        if (!request.HasEntityBody)
            return [];
        try
        {
            if (request.ContentLength64 <= limit && await ReadWithinAsync(request.InputStream, limit).ConfigureAwait(false) is { } body)
                return body;
            await DiscardAsync(request.InputStream).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            throw new TopicRefusedException(408, "The body comes too slowly.");
        }
        catch (Exception error) when (error is HttpListenerException or IOException or ObjectDisposedException)
        {
            throw new TopicRefusedException(400, "The body is broken.");
        }

        throw new TopicRefusedException(413, $"At most {limit} bytes.");
    }

    /// <returns><see langword="null"/> where it is longer.</returns>
    private static async ValueTask<byte[]?> ReadWithinAsync(Stream input, int limit)
    {
        var body = new ArrayBufferWriter<byte>();
        var startedAt = Stopwatch.GetTimestamp();
        while (true)
        {
            // The token of a read is ignored.
            var left = Grace + TimeSpan.FromSeconds((double)body.WrittenCount / MinBytesPerSecond) - Stopwatch.GetElapsedTime(startedAt);
            var buffer = body.GetMemory(4096);
            var count = await input.ReadAsync(buffer[..(int)Math.Min(buffer.Length, limit - body.WrittenCount + 1L)]).AsTask()
                .WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero).ConfigureAwait(false);
            if (count == 0)
                return body.WrittenSpan.ToArray();
            body.Advance(count);
            if (body.WrittenCount > limit)
                return null;
        }
    }

    private static async ValueTask DiscardAsync(Stream input)
    {
        var startedAt = Stopwatch.GetTimestamp();
        var buffer = new byte[16 * 1024];
        try
        {
            int count;
            for (var total = 0; total < MaxDiscarded; total += count)
            {
                var left = DiscardTimeout - Stopwatch.GetElapsedTime(startedAt);
                count = await input.ReadAsync(buffer).AsTask().WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero).ConfigureAwait(false);
                if (count == 0)
                    return;
            }
        }
        catch (TimeoutException)
        {
        }
    }
}
