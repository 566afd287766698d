using System.Buffers;
using System.Net.WebSockets;
using System.Text;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Benchmarks.Micro.Connection;

/// <summary>What the messages of the tables carry.</summary>
public enum Content
{
    /// <summary>Random bytes.</summary>
    Binary,

    /// <summary>Text in ASCII.</summary>
    Ascii,

    /// <summary>Text whose characters take two and three bytes, with ASCII between them.</summary>
    NonAscii,
}

internal static class Payloads
{
    public static WebSocketMessageType TypeOf(Content content) =>
        content == Content.Binary ? WebSocketMessageType.Binary : WebSocketMessageType.Text;

    public static byte[] Create(Content content, int size)
    {
        var payload = new byte[size];
        if (content == Content.Binary)
        {
            new Random(size).NextBytes(payload);
            return payload;
        }

        var text = Encoding.UTF8.GetBytes(content == Content.Ascii ? "{\"price\": 1234.5, \"name\": \"abc\"} " : "Größe 大きさ, цена 価格; ");
        payload.AsSpan().Fill((byte)' ');
        for (var offset = 0; offset + text.Length <= size; offset += text.Length)
            text.CopyTo(payload, offset);
        return payload;
    }

    /// <summary>At least 64 KiB of whole frames, so that no reader sees the end of the wire often.</summary>
    public static byte[] Frames(Content content, int size, bool masked)
    {
        var payload = Create(content, size);
        var opcode = content == Content.Binary ? WebSocketOpcode.Binary : WebSocketOpcode.Text;
        var wire = new ArrayBufferWriter<byte>();
        var random = new Random(1);
        do
        {
            var header = new WebSocketFrameHeader { IsFinal = true, Opcode = opcode, PayloadLength = size };
            if (masked)
                header = header with { MaskingKey = (uint)random.NextInt64(1, uint.MaxValue) };
            var span = wire.GetSpan(header.Length + size);
            header.TryWrite(span, out var length);
            if (masked)
                WebSocketMask.Apply(payload, span[length..], header.MaskingKey);
            else
                payload.CopyTo(span[length..]);
            wire.Advance(length + size);
        }
        while (wire.WrittenCount < 64 * 1024);
        return wire.WrittenSpan.ToArray();
    }
}
