using System.Text;

namespace RealtimeKit.Benchmarks.Micro.ServerSentEvents;

/// <summary>The streams that parsers and writers are measured on.</summary>
public enum StreamSample
{
    /// <summary><c>data: {"t":"ab"}</c>, as an LLM sends tokens.</summary>
    Tiny,

    /// <summary>A chat completion chunk of about 250 bytes.</summary>
    Chat,

    /// <summary>The chat chunk with CRLF line ends.</summary>
    ChatCrLf,

    /// <summary>Event, id, retry and data.</summary>
    Full,

    /// <summary>Data of eight lines.</summary>
    MultiLine,

    /// <summary>Data of 64 KiB in one line.</summary>
    Large,

    /// <summary>Comments and nothing else.</summary>
    Comments,
}

internal static class StreamSamples
{
    public const string TinyData = """{"t":"ab"}""";

    public static readonly string ChatData =
        """{"id":"chatcmpl-9xYzAbCdEfGhIjKlMnOpQrStUvWx","object":"chat.completion.chunk","created":1750000000,"model":"gpt-4o-mini-2024-07-18","system_fingerprint":"fp_0123456789","choices":[{"index":0,"delta":{"content":" token"},"logprobs":null,"finish_reason":null}]}""";

    public static readonly string LargeData = new('x', 64 * 1024);

    public static string Event(StreamSample sample) => sample switch
    {
        StreamSample.Tiny => $"data: {TinyData}\n\n",
        StreamSample.Chat => $"data: {ChatData}\n\n",
        StreamSample.ChatCrLf => $"data: {ChatData}\r\n\r\n",
        StreamSample.Full => "event: price\nid: 1234567\nretry: 3000\ndata: {\"symbol\":\"ABC\",\"price\":12.34}\n\n",
        StreamSample.MultiLine => string.Concat(Enumerable.Repeat("data: a line of text of usual length\n", 8)) + "\n",
        StreamSample.Large => $"data: {LargeData}\n\n",
        _ => ": keep-alive\n\n",
    };

    /// <summary>Events one after another, about 1 MiB, so that the cost of beginning a stream does not show.</summary>
    public static byte[] Stream(StreamSample sample, out int events)
    {
        var one = Event(sample);
        events = Count(sample);
        var text = new StringBuilder();
        for (var count = 0; count < events; count++)
            text.Append(one);
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    public static int Count(StreamSample sample) => sample == StreamSample.Large ? 16 : 4096;
}
