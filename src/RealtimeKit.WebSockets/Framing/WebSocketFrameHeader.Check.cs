using System.Runtime.CompilerServices;

namespace RealtimeKit.WebSockets;

public readonly partial struct WebSocketFrameHeader
{
    // Bit n stands for a valid n = FIN × 16 + opcode. The three control opcodes need FIN.
    private const uint Control = 1u << (16 + 0x8) | 1u << (16 + 0x9) | 1u << (16 + 0xA);
    private const uint ValidBetweenMessages = Control | 1u << 0x1 | 1u << 0x2 | 1u << (16 + 0x1) | 1u << (16 + 0x2);
    private const uint ValidInsideMessage = Control | 1u << 0x0 | 1u << (16 + 0x0);

    /// <summary>Applies every rule of RFC 6455 §5.1–5.5 about a single header, and of RFC 7692 §6.</summary>
    /// <param name="rules">Who reads, and where in a message.</param>
    /// <returns>The first rule broken, or <see cref="WebSocketProtocolError.None"/>.</returns>
    public WebSocketProtocolError Check(in WebSocketFrameRules rules)
    {
        // A shortcut that accepts most valid frames and refuses none: CheckEach has the last word.
        var finAndOpcode = ((_first & FinBit) >> 3) | (_first & OpcodeBits);
        var valid = rules.IsMessageInProgress ? ValidInsideMessage : ValidBetweenMessages;
        return (valid >> finAndOpcode & 1) != 0
            && (_first & ReservedBits) == 0
            && _mask != 0 == (rules.Role == WebSocketRole.Server)
            && _payloadLength <= (IsControl ? MaximumInlineLength : rules.MaximumPayloadLength)
            ? WebSocketProtocolError.None
            : CheckEach(rules);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private WebSocketProtocolError CheckEach(in WebSocketFrameRules rules)
    {
        // RFC 6455 §5.2: reserved bits are 0 unless an extension defines them.
        // RFC 7692 §6: RSV1 marks the first frame of a compressed message, neither its continuations nor control frames.
        var isFirstOfMessage = Opcode is WebSocketOpcode.Text or WebSocketOpcode.Binary;
        var allowedBits = rules.AllowsRsv1 && isFirstOfMessage ? Rsv1Bit : 0;
        if ((_first & ReservedBits & ~allowedBits) != 0)
            return WebSocketProtocolError.ReservedBit;

        // RFC 6455 §5.2: 0x3–0x7 and 0xB–0xF are reserved.
        if (Opcode is (> WebSocketOpcode.Binary and < WebSocketOpcode.Close) or > WebSocketOpcode.Pong)
            return WebSocketProtocolError.ReservedOpcode;

        // RFC 6455 §5.1: a client masks every frame, a server none.
        if (rules.Role == WebSocketRole.Server && !IsMasked)
            return WebSocketProtocolError.MaskRequired;
        if (rules.Role == WebSocketRole.Client && IsMasked)
            return WebSocketProtocolError.MaskForbidden;

        if (IsControl)
        {
            // RFC 6455 §5.5: control frames carry at most 125 bytes and are never fragmented; they may come inside a message.
            if (!IsFinal)
                return WebSocketProtocolError.ControlFragmented;
            return _payloadLength > MaximumInlineLength ? WebSocketProtocolError.ControlTooLong : WebSocketProtocolError.None;
        }

        // RFC 6455 §5.4: a message is one text or binary frame and its continuations; messages do not interleave.
        if (Opcode == WebSocketOpcode.Continuation && !rules.IsMessageInProgress)
            return WebSocketProtocolError.UnexpectedContinuation;
        if (Opcode != WebSocketOpcode.Continuation && rules.IsMessageInProgress)
            return WebSocketProtocolError.ExpectedContinuation;

        // RFC 6455 §10.4: limits are checked before a byte of payload is kept.
        return _payloadLength > rules.MaximumPayloadLength ? WebSocketProtocolError.MessageTooBig : WebSocketProtocolError.None;
    }
}
