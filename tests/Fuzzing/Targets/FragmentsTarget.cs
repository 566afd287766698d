using System.Net.WebSockets;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Fuzzing;

internal sealed class FragmentsTarget : FuzzTarget
{
    private const int SettingsLength = 4;

    public override string Name => "fragments";

    public override string Description => "A real connection receives messages, whole and in parts, plain and compressed, under limits: messages, pongs and the close code against plain rules; memory stays within bounds.";

    public override IReadOnlyList<byte[]> Dictionary => FrameBuilder.Dictionary;

    public override void Run(ReadOnlySpan<byte> input)
    {
        var settings = new FuzzInput(input);
        var (flags, limit, fragments) = (settings.Byte(), settings.Byte(), settings.Byte());
        var random = new FuzzRandom(settings.Byte());
        var isServer = (flags & 1) == 0;
        var isCompressed = (flags & 2) != 0;
        var options = ConnectionRun.Options(isServer ? WebSocketRole.Server : WebSocketRole.Client);
        options.MaxMessageSize = (flags & 8) != 0 ? 1 + 16 * limit : 65536;
        options.MaxFragmentsPerMessage = (flags & 16) != 0 ? 1 + fragments % 8 : 1024;
        options.ControlFrameBurst = (flags & 32) != 0 ? 1 + fragments / 16 : 1_000_000;
        if (isCompressed)
        {
            options.Compression = new PerMessageDeflateOptions { MaxInflateRatio = (flags & 64) != 0 ? 2 : 0 };
            options.CompressionParameters = new PerMessageDeflateParameters
            {
                ClientContextTakeover = (flags & 4) != 0,
                ServerContextTakeover = (flags & 4) != 0,
                ClientMaxWindowBits = 8 + limit % 8,
                ServerMaxWindowBits = 8 + limit % 8,
            };
        }

        var wire = settings.Rest;
        if ((flags & 128) != 0)
            options.MaxStreamedMessageSize = options.MaxMessageSize;
        var expected = Expected.Read(wire, isServer, options, (flags & 4) != 0, 8 + limit % 8);
        foreach (var pieces in (List<byte[]>[])[[wire.ToArray()], Segments.Cut(wire, random), Segments.Bytes(wire)])
            Check(expected, (flags & 128) != 0 ? ConnectionRun.Receive(pieces, options, random) : ConnectionRun.Receive(pieces, options), options);
    }

    public override byte[] Generate(FuzzRandom random)
    {
        var flags = (byte)(random.NextByte() & (random.Once(2) ? 0xFF : 0x87));
        var masked = (flags & 1) == 0;
        byte[] head = [flags, random.NextByte(), random.NextByte(), random.NextByte()];
        if ((flags & 2) == 0 || random.Once(4))
            return [.. head, .. FrameBuilder.Frames(random, masked, random.Once(10) ? 60 : 12, (flags & 2) != 0)];

        // Compressed messages that are, cut into fragments.
        var wire = new List<byte>(head);
        var encoder = new DeflateEncoder(8 + head[1] % 8);
        for (var left = 1 + random.Skewed(4); left > 0; left--)
        {
            var program = new FuzzInput(random.Bytes(random.Skewed(120)));
            var message = MessageProgram.Expand(ref program, 4000);
            var room = new byte[DeflateEncoder.GetMaxCompressedLength(message.Length)];
            var payload = room[..((flags & 4) != 0 ? encoder.CompressNext(message, room) : DeflateEncoder.Compress(message, room, 8 + head[1] % 8))];
            for (var at = 0; at < payload.Length || at == 0;)
            {
                var end = random.Once(2) ? payload.Length : Math.Min(payload.Length, at + random.Next(100) + 1);
                wire.AddRange(FrameBuilder.Frame(random, end == payload.Length, at == 0 ? 4 : 0, at == 0 ? 2 : 0, masked, payload[at..end]));
                if (end == payload.Length)
                    break;
                at = end;
                if (random.Once(4))
                    wire.AddRange(FrameBuilder.Control(random, masked));
            }
        }

        return [.. wire];
    }

    public override byte[]? Mutate(ReadOnlySpan<byte> input, FuzzRandom random) =>
        input.Length < SettingsLength ? null : FrameBuilder.Mutate(input, SettingsLength, random, (input[0] & 1) == 0);

    private static void Check(Expected expected, ConnectionRun run, WebSocketConnectionOptions options)
    {
        Oracle.That(run.Messages.SequenceEqual(expected.Messages), $"messages: {string.Join("; ", run.Messages)}; expected {string.Join("; ", expected.Messages)}; {run.Error}");
        if (expected.HasOpenCompressed && (run.Error is WebSocketProtocolError.InvalidCompressedData or WebSocketProtocolError.InvalidUtf8 or WebSocketProtocolError.MessageTooBig or WebSocketProtocolError.InflateRatioExceeded))
            return;

        // What is wrong in a message that is not whole shows before what is wrong behind it, or behind that where it was read ahead: then
        // nobody will see the message.
        var isEarly = run.HasReadAhead && expected.Errors.Count > 0 && !expected.Errors.Contains(run.Error);
        Oracle.That(isEarly || (run.Error == WebSocketProtocolError.None ? expected.Errors.Count == 0 : expected.Errors.Contains(run.Error) || (expected.Errors.Count == 0 && expected.Close is null && run.Error == WebSocketProtocolError.UnexpectedEndOfStream)),
            $"error {run.Error}, expected is one of: {string.Join(", ", expected.Errors)}");

        // RFC 6455 §5.5.3: every Ping is answered, or the last one for several.
        var pongs = run.Sent.Where(static frame => frame.Opcode == 10).ToArray();
        var at = 0;
        foreach (var pong in pongs)
        {
            at = expected.Pings.FindIndex(at, ping => ping.AsSpan().SequenceEqual(pong.Payload)) + 1;
            Oracle.That(at > 0 || (run.HasReadAhead && expected.Errors.Count > 0), "a pong without a ping");
        }

        var closes = run.Sent.Where(static frame => frame.Opcode == 8).ToArray();
        Oracle.That(closes.Length <= 1 && run.Sent.TakeWhile(static frame => frame.Opcode != 8).Count() + closes.Length == run.Sent.Count, "something is sent behind a Close");
        Oracle.That(run.Sent.All(static frame => frame.Opcode >= 8), "messages are sent");
        if (isEarly || (run.HasReadAhead && run.CloseResult is { Initiator: WebSocketCloseInitiator.Network }))
        {
            // The end of the stream may have been seen before what is wrong.
        }
        else if (expected.Errors.Count > 0)
        {
            Oracle.That(closes is [{ Payload: [var high, var low, ..] }] && (high << 8 | low) == (int)run.Error.GetCloseStatus(), $"close code for {run.Error}");
            Oracle.Equal(run.Error.GetCloseStatus(), run.CloseResult?.Status, "close result");
        }
        else if (expected.Close is { } close)
        {
            // RFC 6455 §5.5.1: a Close is answered with the code that it carries.
            Oracle.That(closes is [var answer] && answer.Payload.AsSpan().SequenceEqual(close.AsSpan(0, Math.Min(2, close.Length))), "the answer to a Close");
            Oracle.That(run.CloseResult is { IsClean: true, Initiator: WebSocketCloseInitiator.Remote }, $"close result: {run.CloseResult}");
        }
        else
        {
            Oracle.That(run.CloseResult is { IsClean: false }, $"close result at the end of the stream: {run.CloseResult}");
        }

        // RFC 6455 §10.4: what a header declares is no reason to make room.
        Oracle.That(run.LargestRequest <= 2 * options.MaxMessageSize + 256 * 1024, $"a read into {run.LargestRequest} bytes");
    }

    private sealed class Expected
    {
        public List<PlainMessage> Messages { get; } = [];

        public List<byte[]> Pings { get; } = [];

        public HashSet<WebSocketProtocolError> Errors { get; } = [];

        public byte[]? Close { get; private set; }

        public static Expected Read(ReadOnlySpan<byte> wire, bool isServer, WebSocketConnectionOptions options, bool takesOver, int windowBits)
        {
            var isCompressing = options.CompressionParameters is not null;

            // What is broken in a compressed message whose end is not there may show or not.
            var result = new Expected { HasOpenCompressed = isCompressing };
            var frames = PlainFrames.Read(wire, isServer, isCompressing, options.MaxMessageSize, options.MaxFragmentsPerMessage);
            var inflater = new PlainInflater(windowBits, takesOver);
            var payload = new List<byte>();
            var (type, isCompressed, controls) = (WebSocketMessageType.Binary, false, 0);
            foreach (var frame in frames.Frames)
            {
                if (frame.Opcode is 9 or 10 && ++controls > options.ControlFrameBurst)
                {
                    result.Errors.Add(WebSocketProtocolError.ControlRateExceeded);
                    break;
                }

                if (frame.Opcode == 9)
                    result.Pings.Add(frame.Payload);
                if (frame.Opcode == 8)
                {
                    result.Close = frame.Payload;
                    break;
                }

                if (frame.Opcode > 8)
                    continue;
                if (frame.Opcode != 0)
                {
                    (type, isCompressed) = (frame.Opcode == 1 ? WebSocketMessageType.Text : WebSocketMessageType.Binary, frame.Rsv1);
                    payload.Clear();
                }

                payload.AddRange(frame.Payload);
                if (!frame.Fin)
                {
                    continue;
                }

                byte[] message = [.. payload];
                if (isCompressed)
                {
                    message = result.Inflate(inflater, message, options, type);
                    if (result.Errors.Count > 0)
                        return result;
                }

                result.Messages.Add(new PlainMessage(type, message));
                isCompressed = false;
                payload.Clear();
            }

            if (result.Errors.Count > 0 || result.Close is not null)
                return result;
            result.Errors.UnionWith(frames.Errors);
            return result;
        }

        public bool HasOpenCompressed { get; private init; }

        private byte[] Inflate(PlainInflater inflater, byte[] payload, WebSocketConnectionOptions options, WebSocketMessageType type)
        {
            var isValid = inflater.TryInflate(payload, options.MaxMessageSize + 1, out var message);
            var ratio = options.Compression!.MaxInflateRatio;
            var allowed = ratio == 0 ? long.MaxValue : Math.Max(64 * 1024, payload.Length * (long)ratio);
            if (!isValid)
                Errors.Add(WebSocketProtocolError.InvalidCompressedData);
            if (message.Length > options.MaxMessageSize)
                Errors.Add(WebSocketProtocolError.MessageTooBig);
            if (message.Length > allowed)
                Errors.Add(WebSocketProtocolError.InflateRatioExceeded);
            if (type == WebSocketMessageType.Text && (PlainUtf8.FirstInvalid(message, out var isComplete) >= 0 || !isComplete))
                Errors.Add(WebSocketProtocolError.InvalidUtf8);
            return message;
        }
    }
}
