using System.Buffers;
using System.Net.ServerSentEvents;
using BenchmarkDotNet.Attributes;
using RealtimeKit.ServerSentEvents;

namespace RealtimeKit.Benchmarks.Micro.ServerSentEvents;

/// <summary>
/// Events as bytes, per stream of 4,096 events (16 of 64 KiB): the framework's parser with a delegate that only looks at the data's
/// length, ours, and the least that any parser has to do, which is to find the line ends.
/// </summary>
[MemoryDiagnoser]
[Config(typeof(PerEventConfig))]
public class ParseBenchmarks
{
    private byte[] _stream = [];
    private ReadOnlySequence<byte> _sequence;
    private ReadOnlySequence<byte> _segments;
    private MemoryStream _memory = new();
    private ServerSentEventAssembler _assembler = new();

    [Params(StreamSample.Tiny, StreamSample.Chat, StreamSample.ChatCrLf, StreamSample.Full, StreamSample.MultiLine, StreamSample.Large, StreamSample.Comments)]
    public StreamSample Sample { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _stream = StreamSamples.Stream(Sample, out _);
        _sequence = new ReadOnlySequence<byte>(_stream);
        _segments = Segments.Cut(_stream, 4096);
        _memory = new MemoryStream(_stream);
        _assembler = new ServerSentEventAssembler();
    }

    [Benchmark(Baseline = true)]
    public int Framework()
    {
        _memory.Position = 0;
        var length = 0;
        foreach (var item in SseParser.Create(_memory, static (_, data) => data.Length).Enumerate())
            length += item.Data;
        return length;
    }

    [Benchmark]
    public int Sequence()
    {
        _assembler.Reset();
        var length = 0;
        var input = _sequence;
        while (_assembler.TryRead(ref input, out var item))
            length += item.Data.Length;
        return length;
    }

    [Benchmark]
    public int SequenceOf4KSegments()
    {
        _assembler.Reset();
        var length = 0;
        var input = _segments;
        while (_assembler.TryRead(ref input, out var item))
            length += item.Data.Length;
        return length;
    }

    [Benchmark]
    public int Span()
    {
        _assembler.Reset();
        var length = 0;
        ReadOnlySpan<byte> input = _stream;
        while (_assembler.TryRead(ref input, out var item))
            length += item.Data.Length;
        return length;
    }

    [Benchmark]
    public int Tokens()
    {
        var length = 0;
        var reader = new ServerSentEventReader(_stream, new ServerSentEventReaderState(int.MaxValue));
        while (reader.Read() != ServerSentEventToken.NeedMoreData)
            length += reader.ValueSpan.Length;
        return length;
    }

    [Benchmark]
    public async Task<int> FrameworkAsync()
    {
        _memory.Position = 0;
        var length = 0;
        await foreach (var item in SseParser.Create(_memory, static (_, data) => data.Length).EnumerateAsync())
            length += item.Data;
        return length;
    }

    [Benchmark]
    public async Task<int> StreamAsync()
    {
        _memory.Position = 0;
        var length = 0;
        await foreach (var item in ServerSentEventParser.ParseAsync(_memory, static (_, data) => data.Length))
            length += item.Data;
        return length;
    }

    [Benchmark]
    public int LineEndsOnly()
    {
        var lines = 0;
        ReadOnlySpan<byte> input = _stream;
        for (int end; (end = input.IndexOfAny((byte)'\r', (byte)'\n')) >= 0; lines++)
            input = input[(end + 1)..];
        return lines;
    }
}
