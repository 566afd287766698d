using RealtimeKit.WebSockets;

namespace RealtimeKit.Fuzzing;

/// <summary>A frame that was read whole, unmasked.</summary>
internal sealed record PlainFrame(int Opcode, bool Fin, bool Rsv1, byte[] Payload)
{
    public bool Equals(PlainFrame? other) =>
        other is not null && Opcode == other.Opcode && Fin == other.Fin && Rsv1 == other.Rsv1 && Payload.AsSpan().SequenceEqual(other.Payload);

    public override int GetHashCode() => HashCode.Combine(Opcode, Fin, Payload.Length);

    public override string ToString() => $"{(Fin ? "final " : "")}{(Rsv1 ? "rsv1 " : "")}{Opcode:X} with {Payload.Length} bytes";
}

/// <summary>What stands in the bytes of a connection, by RFC 6455 §5 and §8.1, read from beginning to end with all of it at hand.</summary>
internal sealed class PlainFrames
{
    public List<PlainFrame> Frames { get; } = [];

    /// <summary>What any rule broken first may be called; empty where none is.</summary>
    public HashSet<WebSocketProtocolError> Errors { get; } = [];

    public static PlainFrames Read(ReadOnlySpan<byte> wire, bool isServer, bool allowsRsv1, long maxMessage, int maxFragments)
    {
        var result = new PlainFrames();
        var text = new List<byte>();
        var (inMessage, isText) = (false, false);
        var length = 0L;
        var fragments = 0;
        while (true)
        {
            var outcome = PlainHeader.Read(wire, out var header);
            if (outcome == PlainHeader.Outcome.Incomplete)
                return result;
            if (outcome == PlainHeader.Outcome.NonMinimal)
                return result.Fail(WebSocketProtocolError.NonMinimalLength);
            if (outcome == PlainHeader.Outcome.TooLong)
                return result.Fail(WebSocketProtocolError.LengthOverflow);
            foreach (var error in header.Broken(isServer, inMessage, allowsRsv1, (ulong)(maxMessage - length)))
                result.Errors.Add(error);
            if (result.Errors.Count > 0)
                return result;
            if (!header.IsControl && fragments == maxFragments)
                return result.Fail(WebSocketProtocolError.TooManyFragments);

            wire = wire[header.Size..];
            var isWhole = header.Length <= (ulong)wire.Length;
            var payload = wire[..(int)Math.Min(header.Length, (ulong)wire.Length)].ToArray();
            for (var i = 0; i < payload.Length; i++)
                payload[i] ^= (byte)(header.Key >> 8 * (i % 4));
            wire = wire[payload.Length..];
            if (header.IsControl)
            {
                if (!isWhole)
                    return result;
                if (header.Opcode == 8 && CloseError(payload) is var close and not WebSocketProtocolError.None)
                    return result.Fail(close);
                result.Frames.Add(new PlainFrame(header.Opcode, header.Fin, header.Rsv != 0, payload));
                continue;
            }

            if (header.Opcode != 0)
            {
                isText = header.Opcode == 1 && header.Rsv == 0;
                text.Clear();
            }

            fragments++;
            length += (long)header.Length;
            text.AddRange(payload);
            if (isText)
            {
                var invalid = PlainUtf8.FirstInvalid([.. text], out var isComplete);
                if (invalid >= 0 || (isWhole && header.Fin && !isComplete))
                    return result.Fail(WebSocketProtocolError.InvalidUtf8);
            }

            if (!isWhole)
                return result;
            result.Frames.Add(new PlainFrame(header.Opcode, header.Fin, header.Rsv != 0, payload));
            inMessage = !header.Fin;
            if (header.Fin)
                (length, fragments) = (0, 0);
        }
    }

    public static WebSocketProtocolError CloseError(ReadOnlySpan<byte> payload)
    {
        if (payload.Length == 0)
            return WebSocketProtocolError.None;
        if (payload.Length == 1)
            return WebSocketProtocolError.CloseLengthOne;
        var code = payload[0] * 256 + payload[1];
        int[] forbidden = [1004, 1005, 1006, 1015];
        if (code < 1000 || code >= 5000 || forbidden.Contains(code) || (code > 1015 && code < 3000))
            return WebSocketProtocolError.CloseCodeInvalid;
        return PlainUtf8.FirstInvalid(payload[2..], out var isComplete) < 0 && isComplete ? WebSocketProtocolError.None : WebSocketProtocolError.CloseReasonInvalidUtf8;
    }

    private PlainFrames Fail(WebSocketProtocolError error)
    {
        Errors.Add(error);
        return this;
    }
}
