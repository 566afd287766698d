namespace RealtimeKit.Fuzzing;

/// <summary>RFC 6455 §5.2, read as it is written: the header's fields, or what is missing or wrong.</summary>
internal readonly record struct PlainHeader(
    bool Fin, int Rsv, int Opcode, bool Masked, ulong Length, uint Key, int Size)
{
    public enum Outcome
    {
        Whole,
        Incomplete,
        NonMinimal,
        TooLong,
    }

    public bool IsControl => Opcode >= 8;

    public static Outcome Read(ReadOnlySpan<byte> bytes, out PlainHeader header)
    {
        header = default;
        if (bytes.Length < 2)
            return Outcome.Incomplete;
        var fin = bytes[0] / 128 == 1;
        var rsv = bytes[0] / 16 % 8;
        var opcode = bytes[0] % 16;
        var masked = bytes[1] / 128 == 1;
        ulong length = (ulong)bytes[1] % 128;
        var size = 2;
        var extended = length switch { 126 => 2, 127 => 8, _ => 0 };
        if (extended > 0)
        {
            if (bytes.Length < 2 + extended)
                return Outcome.Incomplete;
            length = 0;
            for (var i = 0; i < extended; i++)
                length = length * 256 + bytes[2 + i];
            size += extended;
            if (length >= 1UL << 63)
                return Outcome.TooLong;
            if (length < 126 || (extended == 8 && length < 65536))
                return Outcome.NonMinimal;
        }

        uint key = 0;
        if (masked)
        {
            if (bytes.Length < size + 4)
                return Outcome.Incomplete;
            key = bytes[size] + 256u * bytes[size + 1] + 65536u * bytes[size + 2] + 16777216u * bytes[size + 3];
            size += 4;
        }

        header = new PlainHeader(fin, rsv, opcode, masked, length, key, size);
        return Outcome.Whole;
    }

    /// <summary>The rules of RFC 6455 §5.1–5.5 and RFC 7692 §6 that this header breaks.</summary>
    public IEnumerable<WebSockets.WebSocketProtocolError> Broken(bool isServer, bool inMessage, bool allowsRsv1, ulong maxLength)
    {
        if ((Rsv & 3) != 0 || ((Rsv & 4) != 0 && !(allowsRsv1 && Opcode is 1 or 2)))
            yield return WebSockets.WebSocketProtocolError.ReservedBit;
        if (Opcode is 3 or 4 or 5 or 6 or 7 or 11 or 12 or 13 or 14 or 15)
            yield return WebSockets.WebSocketProtocolError.ReservedOpcode;
        if (isServer && !Masked)
            yield return WebSockets.WebSocketProtocolError.MaskRequired;
        if (!isServer && Masked)
            yield return WebSockets.WebSocketProtocolError.MaskForbidden;
        if (IsControl && !Fin)
            yield return WebSockets.WebSocketProtocolError.ControlFragmented;
        if (IsControl && Length > 125)
            yield return WebSockets.WebSocketProtocolError.ControlTooLong;
        if (Opcode == 0 && !inMessage)
            yield return WebSockets.WebSocketProtocolError.UnexpectedContinuation;
        if (!IsControl && Opcode != 0 && inMessage)
            yield return WebSockets.WebSocketProtocolError.ExpectedContinuation;
        if (!IsControl && Length > maxLength)
            yield return WebSockets.WebSocketProtocolError.MessageTooBig;
    }
}
