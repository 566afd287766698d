using System.Net.WebSockets;

namespace RealtimeKit.WebSockets;

/// <summary>One form of a prepared message: a whole frame as a server sends it, final and unmasked.</summary>
internal sealed class PreparedWebSocketForm
{
    private readonly byte[] _frame;
    private readonly int _headerLength;

    public PreparedWebSocketForm(ReadOnlySpan<byte> payload, WebSocketMessageType type, bool isCompressed)
    {
        Form = isCompressed ? SendForm.Compressed : SendForm.Message;
        var header = new WebSocketFrameHeader { IsFinal = true, Rsv1 = isCompressed, Opcode = type.ToOpcode(), PayloadLength = payload.Length };
        _frame = GC.AllocateUninitializedArray<byte>(header.Length + payload.Length);
        header.TryWrite(_frame, out _headerLength);
        payload.CopyTo(_frame.AsSpan(_headerLength));
    }

    public SendForm Form { get; }

    public ReadOnlyMemory<byte> Frame => _frame;

    public ReadOnlyMemory<byte> Payload => _frame.AsMemory(_headerLength);
}
