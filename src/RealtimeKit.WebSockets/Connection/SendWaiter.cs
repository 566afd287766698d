using System.Buffers;

namespace RealtimeKit.WebSockets;

/// <summary>A send that waits for room in the send buffer; whoever makes room encodes it, so that order is kept.</summary>
internal sealed class SendWaiter(WebSocketOpcode opcode, ReadOnlySequence<byte> payload, bool isEncoded)
    : TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)
{
    public WebSocketOpcode Opcode => opcode;

    public ReadOnlySequence<byte> Payload => payload;

    /// <summary>Whether the payload is whole frames already.</summary>
    public bool IsEncoded => isEncoded;

    public CancellationTokenRegistration Registration { get; set; }
}
