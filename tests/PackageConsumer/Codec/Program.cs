using System.Buffers;
using System.Text;
using RealtimeKit.WebSockets;

var wire = new ArrayBufferWriter<byte>();
WebSocketFrameWriter.WriteFrame(wire, new WebSocketFrameHeader { IsFinal = true, Opcode = WebSocketOpcode.Text, PayloadLength = 5 }, "Hello"u8);

if (WebSocketFrameHeader.TryRead(wire.WrittenSpan, out var header, out var length) == OperationStatus.Done)
    Console.WriteLine($"{header.Opcode}: {Encoding.UTF8.GetString(wire.WrittenSpan[length..])}");
