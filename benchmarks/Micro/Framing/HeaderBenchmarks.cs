using System.Buffers;
using BenchmarkDotNet.Attributes;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Benchmarks.Micro.Framing;

/// <summary>Headers of a masked frame, read and checked and written.</summary>
[MemoryDiagnoser]
public class HeaderBenchmarks
{
    private readonly byte[] _bytes = new byte[WebSocketFrameHeader.MaxLength];
    private WebSocketFrameHeader _header;
    private ReadOnlySequence<byte> _sequence;
    private WebSocketFrameRules _rules;

    [Params(16, 1024, 65_536)]
    public int PayloadLength { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _header = new WebSocketFrameHeader { IsFinal = true, Opcode = WebSocketOpcode.Text, PayloadLength = PayloadLength, MaskingKey = 0x3d21fa37 };
        _header.TryWrite(_bytes, out _);
        _sequence = new ReadOnlySequence<byte>(_bytes);
        _rules = new WebSocketFrameRules { Role = WebSocketRole.Server, MaximumPayloadLength = 1024 * 1024 };
    }

    [Benchmark]
    public long Read()
    {
        WebSocketFrameHeader.TryRead(_bytes, out var header, out var consumed);
        return header.PayloadLength + consumed;
    }

    [Benchmark]
    public long ReadSequence()
    {
        WebSocketFrameHeader.TryRead(_sequence, out var header, out var consumed);
        return header.PayloadLength + consumed;
    }

    [Benchmark]
    public WebSocketProtocolError ReadAndCheck()
    {
        WebSocketFrameHeader.TryRead(_bytes, out var header, out _);
        return header.Check(_rules);
    }

    [Benchmark]
    public bool Write() => _header.TryWrite(_bytes, out _);

    [Benchmark]
    public uint CreateKey() => WebSocketMask.CreateKey();
}
