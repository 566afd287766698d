using System.Buffers;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Fuzzing;

internal sealed class HeaderTarget : FuzzTarget
{
    private readonly GuardedBuffer _input = new(4096);
    private readonly GuardedBuffer _output = new(4096);

    public override string Name => "header";

    public override string Description => "Frame headers: against a plain reader, at every split, and written back byte for byte (RFC 6455 §5.2).";

    public override int MaxLength => 64;

    public override void Run(ReadOnlySpan<byte> input)
    {
        var settings = new FuzzInput(input);
        var flags = settings.Byte();
        var maximum = (ulong)settings.UInt16() << (settings.Byte() % 48);
        var bytes = settings.Rest;

        var outcome = PlainHeader.Read(bytes, out var expected);
        var status = WebSocketFrameHeader.TryRead(_input.Copy(bytes), out var header, out var consumed, out var error);
        Oracle.Equal(
            outcome switch { PlainHeader.Outcome.Whole => OperationStatus.Done, PlainHeader.Outcome.Incomplete => OperationStatus.NeedMoreData, _ => OperationStatus.InvalidData },
            status, "status");
        Oracle.Equal(
            outcome switch
            {
                PlainHeader.Outcome.NonMinimal => WebSocketProtocolError.NonMinimalLength,
                PlainHeader.Outcome.TooLong => WebSocketProtocolError.LengthOverflow,
                _ => WebSocketProtocolError.None,
            },
            error, "error");
        Oracle.Equal(expected.Size, consumed, "consumed");
        CheckSplits(bytes, status, header, consumed, error);
        if (status != OperationStatus.Done)
        {
            Oracle.That(header == default, "a header that was not read has fields");
            return;
        }

        Oracle.That(
            header.IsFinal == expected.Fin && header.Rsv1 == ((expected.Rsv & 4) != 0) && header.Rsv2 == ((expected.Rsv & 2) != 0) && header.Rsv3 == ((expected.Rsv & 1) != 0)
            && (int)header.Opcode == expected.Opcode && header.IsControl == expected.IsControl && header.IsMasked == expected.Masked && header.MaskingKey == expected.Key
            && (ulong)header.PayloadLength == expected.Length && header.Length == expected.Size,
            $"fields: expected {expected}");
        for (var length = 0; length < consumed; length++)
            Oracle.Equal(OperationStatus.NeedMoreData, WebSocketFrameHeader.TryRead(bytes[..length], out _, out _), "a part of a header");
        CheckWrite(header, bytes[..consumed]);
        CheckRules(header, expected, flags, maximum);
    }

    public override byte[] Generate(FuzzRandom random)
    {
        byte[] head = [random.NextByte(), random.NextByte(), random.NextByte(), random.NextByte(), random.NextByte()];
        var length = random.Next(3);
        head = [.. head, (byte)(random.Next(2) * 128 + (length == 0 ? random.Next(126) : 125 + length))];
        return [.. head, .. random.Bytes(random.Once(3) ? random.Next(12) : 12)];
    }

    private static void CheckSplits(ReadOnlySpan<byte> bytes, OperationStatus status, WebSocketFrameHeader header, int consumed, WebSocketProtocolError error)
    {
        for (var at = 0; at <= Math.Min(bytes.Length, WebSocketFrameHeader.MaxLength) + 1; at++)
        {
            var sequence = at > bytes.Length || at > WebSocketFrameHeader.MaxLength
                ? Segments.Join(Segments.Bytes(bytes))
                : Segments.Join([bytes[..at].ToArray(), bytes[at..].ToArray()]);
            Oracle.Equal(status, WebSocketFrameHeader.TryRead(sequence, out var split, out var splitConsumed, out var splitError), "status of a split header");
            Oracle.That(split == header && splitConsumed == consumed && splitError == error, $"split at {at}: {splitConsumed} bytes, {splitError}");
        }
    }

    private void CheckWrite(WebSocketFrameHeader header, ReadOnlySpan<byte> expected)
    {
        var exact = _output.AtEnd(expected.Length);
        exact.Fill(0xA5);
        Oracle.That(header.TryWrite(exact, out var written) && written == expected.Length, "a header does not fit into its length");
        Oracle.Equal(expected, exact, "written header");
        for (var length = 0; length < expected.Length; length++)
        {
            var tooShort = _output.AtEnd(length);
            tooShort.Fill(0xA5);
            Oracle.That(!header.TryWrite(tooShort, out written) && written == 0, "a header is written into too little room");
            Oracle.That(!tooShort.ContainsAnyExcept((byte)0xA5), "a header that does not fit is written in part");
        }
    }

    private static void CheckRules(WebSocketFrameHeader header, PlainHeader expected, byte flags, ulong maximum)
    {
        var (isServer, inMessage, allowsRsv1) = ((flags & 1) == 0, (flags & 2) != 0, (flags & 4) != 0);
        maximum = Math.Min(maximum, long.MaxValue);
        var error = header.Check(new WebSocketFrameRules
        {
            Role = isServer ? WebSocketRole.Server : WebSocketRole.Client,
            IsMessageInProgress = inMessage,
            AllowsRsv1 = allowsRsv1,
            MaximumPayloadLength = (long)maximum,
        });
        var broken = expected.Broken(isServer, inMessage, allowsRsv1, maximum).ToArray();
        Oracle.That(error == WebSocketProtocolError.None ? broken.Length == 0 : broken.Contains(error), $"rules: {error}, broken are {string.Join(", ", broken)}");
    }
}
