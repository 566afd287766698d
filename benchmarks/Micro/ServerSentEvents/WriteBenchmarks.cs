using System.Buffers;
using System.Net.ServerSentEvents;
using System.Text;
using BenchmarkDotNet.Attributes;
using RealtimeKit.ServerSentEvents;

namespace RealtimeKit.Benchmarks.Micro.ServerSentEvents;

/// <summary>
/// 4,096 events (16 of 64 KiB) into memory. The framework writes an asynchronous sequence to a stream; ours writes to any buffer writer,
/// from UTF-8 and from strings.
/// </summary>
[MemoryDiagnoser]
[Config(typeof(PerEventConfig))]
public class WriteBenchmarks
{
    private readonly ArrayBufferWriter<byte> _output = new(4 << 20);
    private readonly MemoryStream _memory = new(4 << 20);
    private byte[] _utf8 = [];
    private string _text = "";
    private int _count;

    [Params(StreamSample.Tiny, StreamSample.Chat, StreamSample.Full, StreamSample.MultiLine, StreamSample.Large)]
    public StreamSample Sample { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _count = StreamSamples.Count(Sample);
        _text = Sample switch
        {
            StreamSample.Tiny => StreamSamples.TinyData,
            StreamSample.Chat => StreamSamples.ChatData,
            StreamSample.Full => "{\"symbol\":\"ABC\",\"price\":12.34}",
            StreamSample.MultiLine => string.Join('\n', Enumerable.Repeat("a line of text of usual length", 8)),
            _ => StreamSamples.LargeData,
        };
        _utf8 = Encoding.UTF8.GetBytes(_text);
    }

    [Benchmark(Baseline = true)]
    public long Framework()
    {
        _memory.Position = 0;
        SseFormatter.WriteAsync(Items(_utf8), _memory, static (item, output) => output.Write(item.Data)).GetAwaiter().GetResult();
        return _memory.Position;
    }

    [Benchmark]
    public long FrameworkText()
    {
        _memory.Position = 0;
        SseFormatter.WriteAsync(Items(_text), _memory).GetAwaiter().GetResult();
        return _memory.Position;
    }

    [Benchmark]
    public int Utf8()
    {
        _output.ResetWrittenCount();
        if (Sample == StreamSample.Full)
        {
            for (var n = 0; n < _count; n++)
                ServerSentEventFormatter.WriteEvent(_output, _utf8, "price", "1234567", TimeSpan.FromSeconds(3));
        }
        else
        {
            for (var n = 0; n < _count; n++)
                ServerSentEventFormatter.WriteEvent(_output, _utf8);
        }

        return _output.WrittenCount;
    }

    [Benchmark]
    public int Text()
    {
        _output.ResetWrittenCount();
        if (Sample == StreamSample.Full)
        {
            for (var n = 0; n < _count; n++)
                ServerSentEventFormatter.WriteEvent(_output, _text.AsSpan(), "price", "1234567", TimeSpan.FromSeconds(3));
        }
        else
        {
            for (var n = 0; n < _count; n++)
                ServerSentEventFormatter.WriteEvent(_output, _text.AsSpan());
        }

        return _output.WrittenCount;
    }

    private async IAsyncEnumerable<SseItem<T>> Items<T>(T data)
    {
        var item = Sample == StreamSample.Full
            ? new SseItem<T>(data, "price") { EventId = "1234567", ReconnectionInterval = TimeSpan.FromSeconds(3) }
            : new SseItem<T>(data);
        for (var n = 0; n < _count; n++)
            yield return item;
        await Task.CompletedTask;
    }
}
