using System.Buffers;

namespace RealtimeKit.WebSockets;

/// <summary>A send that waits for room in the send buffer; whoever makes room encodes it, so that order is kept.</summary>
internal sealed class SendWaiter(WebSocketOpcode opcode, ReadOnlySequence<byte> payload, SendForm form)
    : TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)
{
    public WebSocketOpcode Opcode => opcode;

    public ReadOnlySequence<byte> Payload => payload;

    public SendForm Form => form;

    public CancellationTokenRegistration Registration { get; set; }
}
