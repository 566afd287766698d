using System.Buffers;
using System.Text;
using BenchmarkDotNet.Attributes;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Benchmarks.Micro.Framing;

/// <summary>The codec alone, whole frames as a server reads them and as each side writes them.</summary>
[MemoryDiagnoser]
public class FrameBenchmarks
{
    private readonly ArrayBufferWriter<byte> _output = new(2 * 1024 * 1024);
    private byte[] _payload = [];
    private byte[] _destination = [];
    private ReadOnlySequence<byte> _text;
    private ReadOnlySequence<byte> _binary;

    [Params(16, 125, 1024, 65_536)]
    public int Length { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _payload = Encoding.ASCII.GetBytes(new string('a', Length));
        _destination = new byte[Length];
        _text = Frame(WebSocketOpcode.Text);
        _binary = Frame(WebSocketOpcode.Binary);
    }

    [Benchmark]
    public bool ReadText() => Read(_text);

    [Benchmark]
    public bool ReadBinary() => Read(_binary);

    [Benchmark]
    public int WriteServer()
    {
        _output.ResetWrittenCount();
        WebSocketFrameWriter.WriteFrame(_output, new WebSocketFrameHeader { IsFinal = true, Opcode = WebSocketOpcode.Binary }, _payload);
        return _output.WrittenCount;
    }

    [Benchmark]
    public int WriteClient()
    {
        _output.ResetWrittenCount();
        var header = new WebSocketFrameHeader { IsFinal = true, Opcode = WebSocketOpcode.Binary, MaskingKey = WebSocketMask.CreateKey() };
        WebSocketFrameWriter.WriteFrame(_output, header, _payload);
        return _output.WrittenCount;
    }

    private bool Read(in ReadOnlySequence<byte> frame)
    {
        var reader = new WebSocketFrameReader(frame, default);
        reader.Read();
        reader.CopyPayloadTo(_destination);
        return reader.IsEndOfMessage;
    }

    private ReadOnlySequence<byte> Frame(WebSocketOpcode opcode)
    {
        var output = new ArrayBufferWriter<byte>();
        WebSocketFrameWriter.WriteFrame(output, new WebSocketFrameHeader { IsFinal = true, Opcode = opcode, MaskingKey = 0x3d21fa37 }, _payload);
        return new ReadOnlySequence<byte>(output.WrittenMemory);
    }
}
