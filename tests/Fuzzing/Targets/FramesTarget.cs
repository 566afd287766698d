using System.Buffers;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Fuzzing;

internal sealed class FramesTarget : FuzzTarget
{
    private const int SettingsLength = 4;

    public override string Name => "frames";

    public override string Description => "The frame reader, whole, cut and fed piece by piece, against a plain reader of RFC 6455 §5; each call gives something, asks for more or ends.";

    public override IReadOnlyList<byte[]> Dictionary => FrameBuilder.Dictionary;

    public override void Run(ReadOnlySpan<byte> input)
    {
        var settings = new FuzzInput(input);
        var (flags, limit, fragments, seed) = (settings.Byte(), settings.Byte(), settings.Byte(), settings.Byte());
        var maxMessage = (flags & 8) != 0 ? 16L * limit : 65536;
        var maxFragments = (flags & 16) != 0 ? 1 + fragments % 8 : 1024;
        var options = new WebSocketFrameReaderOptions
        {
            Role = (flags & 1) == 0 ? WebSocketRole.Server : WebSocketRole.Client,
            AllowsRsv1 = (flags & 2) != 0,
            MaximumMessageLength = maxMessage,
            MaximumFragments = maxFragments,
        };
        var wire = settings.Rest;
        var expected = PlainFrames.Read(wire, (flags & 1) == 0, options.AllowsRsv1, maxMessage, maxFragments);
        var random = new FuzzRandom(seed);
        Check(expected, options, [wire.ToArray()], fedWhole: true);
        Check(expected, options, Segments.Cut(wire, random), fedWhole: true);
        Check(expected, options, Segments.Cut(wire, random), fedWhole: false);
        Check(expected, options, Segments.Bytes(wire), fedWhole: false);
    }

    public override byte[] Generate(FuzzRandom random)
    {
        var flags = (byte)(random.NextByte() & (random.Once(2) ? 0xFF : 0x07));
        return [flags, random.NextByte(), random.NextByte(), random.NextByte(), .. FrameBuilder.Frames(random, (flags & 1) == 0, compressed: (flags & 2) != 0)];
    }

    public override byte[]? Mutate(ReadOnlySpan<byte> input, FuzzRandom random) =>
        input.Length < SettingsLength ? null : FrameBuilder.Mutate(input, SettingsLength, random, (input[0] & 1) == 0);

    private static void Check(PlainFrames expected, WebSocketFrameReaderOptions options, List<byte[]> pieces, bool fedWhole)
    {
        var state = new WebSocketFrameReaderState(options);
        var frames = new List<PlainFrame>();
        var payload = new ArrayBufferWriter<byte>();
        var error = WebSocketProtocolError.None;
        if (fedWhole)
        {
            Feed(ref state, Segments.Join(pieces), frames, payload, out error);
        }
        else
        {
            var kept = new List<byte[]>();
            foreach (var piece in pieces)
            {
                kept.Add(piece);
                var sequence = Segments.Join(kept);
                var rest = Feed(ref state, sequence, frames, payload, out error);
                kept.Clear();
                if (!rest.IsEmpty)
                    kept.Add(rest.ToArray());
                if (error != WebSocketProtocolError.None)
                    break;
                Oracle.That(rest.Length < WebSocketFrameHeader.MaxLength + 125, $"the reader leaves {rest.Length} bytes");
            }
        }

        Oracle.That(error == WebSocketProtocolError.None ? expected.Errors.Count == 0 : expected.Errors.Contains(error),
            $"error {error}, expected is one of: {string.Join(", ", expected.Errors)}");
        Oracle.That(frames.SequenceEqual(expected.Frames), $"frames: {string.Join("; ", frames)}, expected {string.Join("; ", expected.Frames)}");
    }

    private static ReadOnlySequence<byte> Feed(
        ref WebSocketFrameReaderState state, ReadOnlySequence<byte> input, List<PlainFrame> frames, ArrayBufferWriter<byte> payload, out WebSocketProtocolError error)
    {
        var reader = new WebSocketFrameReader(input, state);
        var calls = 0;
        while (true)
        {
            var before = input.Slice(reader.Position).Length;
            var status = reader.Read();
            Oracle.That(++calls <= 2 * input.Length + 4, "the reader runs in circles");
            var rest = input.Slice(reader.Position);
            if (status == OperationStatus.InvalidData)
            {
                error = reader.Error;
                Oracle.That(error != WebSocketProtocolError.None && reader.Payload.IsEmpty, "a refusal without a reason");
                Oracle.Equal(OperationStatus.InvalidData, reader.Read(), "a reader that failed reads on");
                state = reader.CurrentState;
                return rest;
            }

            error = WebSocketProtocolError.None;
            if (status == OperationStatus.NeedMoreData)
            {
                state = reader.CurrentState;
                return rest;
            }

            Oracle.Equal(OperationStatus.Done, status, "status");
            Oracle.That(rest.Length < before || (reader.IsEndOfFrame && reader.Payload.IsEmpty), "a part that takes nothing");
            if (reader.IsStartOfFrame)
                payload.ResetWrittenCount();
            Oracle.Equal((int)(payload.WrittenCount & 3), reader.MaskPhase, "mask phase");
            reader.CopyPayloadTo(payload.GetSpan((int)reader.Payload.Length + 1));
            payload.Advance((int)reader.Payload.Length);
            var header = reader.Header;
            Oracle.Equal(reader.IsEndOfFrame && header.IsFinal && !header.IsControl, reader.IsEndOfMessage, "end of message");
            if (!reader.IsEndOfFrame)
                continue;
            Oracle.Equal(header.PayloadLength, payload.WrittenCount, "payload length");
            frames.Add(new PlainFrame((int)header.Opcode, header.IsFinal, header.Rsv1, payload.WrittenSpan.ToArray()));
        }
    }
}
