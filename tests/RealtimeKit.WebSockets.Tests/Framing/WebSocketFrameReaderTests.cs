using System.Buffers;
using System.IO.Pipelines;
using System.Net.WebSockets;
using System.Text;

namespace RealtimeKit.WebSockets.Tests.Framing;

public class WebSocketFrameReaderTests
{
    private const uint Key = 0x3d21fa37;

    // RFC 6455 §5.7: all its examples after each other, as a client reads them, at every split.
    [Fact]
    public void Read_ExamplesOfTheRfcUnmasked_AtEverySplit_GiveTheMessages()
    {
        byte[] bytes =
        [
            0x81, 0x05, .. "Hello"u8,
            0x01, 0x03, .. "Hel"u8,
            0x89, 0x05, .. "Hello"u8,
            0x80, 0x02, .. "lo"u8,
            0x82, 0x7E, 0x01, 0x00, .. new byte[256],
        ];
        string[] expected = ["Text Hello", "Ping Hello", "Text Hello", "Binary " + new string('\0', 256)];
        var options = new WebSocketFrameReaderOptions { Role = WebSocketRole.Client };
        foreach (var sequence in Sequences.EverySplit(bytes))
            Collect([sequence], options).Events.Should().Equal(expected);
        for (var at = 0; at <= bytes.Length; at++)
            Collect(Arrivals(bytes, at), options).Events.Should().Equal(expected);
        Collect(Arrivals(bytes, [.. Enumerable.Range(0, bytes.Length)]), options).Events.Should().Equal(expected);
    }

    [Fact]
    public void Read_ExamplesOfTheRfcMasked_AtEverySplit_GiveTheMessages()
    {
        byte[] bytes =
        [
            0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58,
            0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58,
        ];
        for (var at = 0; at <= bytes.Length; at++)
            Collect(Arrivals(bytes, at), default).Events.Should().Equal("Text Hello", "Pong Hello");
        Collect(Arrivals(bytes, [.. Enumerable.Range(0, bytes.Length)]), default).Events.Should().Equal("Text Hello", "Pong Hello");
    }

    [Fact]
    public void Read_PartOfAFrame_HandsOutWhatHasArrivedWithItsPhase()
    {
        var frame = Frame(WebSocketOpcode.Binary, "abcdefghij"u8);
        var reader = new WebSocketFrameReader(new ReadOnlySequence<byte>(frame, 0, 6 + 3), default);
        reader.Read().Should().Be(OperationStatus.Done);
        (reader.Payload.Length, reader.MaskPhase, reader.IsStartOfFrame, reader.IsEndOfFrame, reader.IsEndOfMessage).Should().Be((3, 0, true, false, false));
        reader.Header.PayloadLength.Should().Be(10);
        Unmasked(reader).Should().Be("abc");
        reader.Read().Should().Be(OperationStatus.NeedMoreData);
        reader.Payload.IsEmpty.Should().BeTrue();
        reader.CurrentState.IsMessageInProgress.Should().BeTrue();

        reader = new WebSocketFrameReader(new ReadOnlySequence<byte>(frame, 9, 7), reader.CurrentState);
        reader.Read().Should().Be(OperationStatus.Done);
        (reader.Payload.Length, reader.MaskPhase, reader.IsStartOfFrame, reader.IsEndOfFrame, reader.IsEndOfMessage).Should().Be((7, 3, false, true, true));
        Unmasked(reader).Should().Be("defghij");
        reader.CurrentState.IsMessageInProgress.Should().BeFalse();
        reader.Read().Should().Be(OperationStatus.NeedMoreData);
    }

    [Fact]
    public void Read_AnyPayload_LeavesTheInputAsItWas()
    {
        var frame = Frame(WebSocketOpcode.Text, "untouched"u8);
        var original = (byte[])frame.Clone();
        var reader = new WebSocketFrameReader(new ReadOnlySequence<byte>(frame), default);
        reader.Read().Should().Be(OperationStatus.Done);
        Unmasked(reader).Should().Be("untouched");
        Unmasked(reader).Should().Be("untouched");
        frame.Should().Equal(original);
    }

    [Fact]
    public void Read_ControlFrame_WaitsUntilItIsWhole()
    {
        var frame = Frame(WebSocketOpcode.Ping, "0123456789"u8);
        for (var length = 0; length < frame.Length; length++)
        {
            var reader = new WebSocketFrameReader(new ReadOnlySequence<byte>(frame, 0, length), default);
            reader.Read().Should().Be(OperationStatus.NeedMoreData);
            var consumed = (int)new ReadOnlySequence<byte>(frame, 0, length).Slice(0, reader.Position).Length;
            reader = new WebSocketFrameReader(new ReadOnlySequence<byte>(frame, consumed, frame.Length - consumed), reader.CurrentState);
            reader.Read().Should().Be(OperationStatus.Done);
            Unmasked(reader).Should().Be("0123456789");
            (reader.IsEndOfFrame, reader.IsEndOfMessage).Should().Be((true, false));
        }
    }

    // What the writer writes, the reader reads, split at random: messages in random fragments with control frames between them.
    [Fact]
    public void Read_WhatTheWriterWrote_IsTheSame()
    {
        for (var seed = 0; seed < 2000; seed++)
        {
            var random = new Random(seed);
            var role = (WebSocketRole)random.Next(2);
            var output = new ArrayBufferWriter<byte>();
            var expected = new List<string>();
            for (var messages = random.Next(1, 6); messages > 0; messages--)
            {
                var opcode = random.Next(2) == 0 ? WebSocketOpcode.Text : WebSocketOpcode.Binary;
                var text = string.Concat(Enumerable.Range(0, random.Next(random.Next(8) == 0 ? 3000 : 50)).Select(_ => random.Next(4) switch { 0 => "é", 1 => "界", 2 => "😀", _ => "a" }));
                var rest = Encoding.UTF8.GetBytes(text).AsSpan();
                for (var isFirst = true; ; isFirst = false)
                {
                    var length = random.Next(3) == 0 ? rest.Length : random.Next(rest.Length + 1);
                    var isFinal = length == rest.Length && random.Next(4) != 0;
                    var header = new WebSocketFrameHeader { IsFinal = isFinal, Opcode = isFirst ? opcode : WebSocketOpcode.Continuation };
                    WebSocketFrameWriter.WriteFrame(output, Masked(header), rest[..length]);
                    rest = rest[length..];
                    if (isFinal)
                        break;
                    if (random.Next(3) == 0)
                    {
                        var ping = new WebSocketFrameHeader { IsFinal = true, Opcode = WebSocketOpcode.Ping };
                        WebSocketFrameWriter.WriteFrame(output, Masked(ping), "ping"u8);
                        expected.Add("Ping ping");
                    }
                }

                expected.Add($"{opcode} {text}");
            }

            var bytes = output.WrittenSpan.ToArray();
            var splits = Enumerable.Range(0, random.Next(20)).Select(_ => random.Next(bytes.Length + 1)).Order().ToArray();
            var (events, error) = Collect(Arrivals(bytes, splits), new() { Role = role }, random);
            if (error != WebSocketProtocolError.None || !events.SequenceEqual(expected))
                Assert.Fail($"seed {seed}: {error}");

            WebSocketFrameHeader Masked(WebSocketFrameHeader header) =>
                role == WebSocketRole.Server ? header with { MaskingKey = WebSocketMask.CreateKey() } : header;
        }
    }

    // A frame that declares 2^63-1 bytes is limited by what arrives, not by what it declares.
    [Fact]
    public void Read_LongestFrame_StreamsWhatArrives()
    {
        byte[] start = [0x82, 0x7F, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3];
        var options = new WebSocketFrameReaderOptions { Role = WebSocketRole.Client, MaximumMessageLength = long.MaxValue };
        var reader = new WebSocketFrameReader(new ReadOnlySequence<byte>(start), new WebSocketFrameReaderState(options));
        reader.Read().Should().Be(OperationStatus.Done);
        reader.Payload.ToArray().Should().Equal(1, 2, 3);
        reader.IsEndOfFrame.Should().BeFalse();
        reader.Read().Should().Be(OperationStatus.NeedMoreData);
    }

    [Fact]
    public void CopyPayloadTo_DestinationTooShort_Throws()
    {
        var copy = () =>
        {
            var reader = new WebSocketFrameReader(new ReadOnlySequence<byte>(Frame(WebSocketOpcode.Binary, new byte[5])), default);
            reader.Read();
            reader.CopyPayloadTo(new byte[4]);
        };
        copy.Should().Throw<ArgumentException>();
    }

    // The codec alone over pipes, as the remarks of the reader show it: an echo server in one loop.
    [Fact(Timeout = 30_000)]
    public async Task Read_OverPipes_EchoesUntilClose()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var toServer = new Pipe();
        var toClient = new Pipe();
        var server = Task.Run(async () =>
        {
            var state = default(WebSocketFrameReaderState);
            var isClosed = false;
            while (!isClosed)
            {
                var result = await toServer.Reader.ReadAsync(cancellationToken);
                isClosed = Echo(result.Buffer, toClient.Writer, ref state, out var consumed) || result.IsCompleted;
                toServer.Reader.AdvanceTo(consumed, result.Buffer.End);
                await toClient.Writer.FlushAsync(cancellationToken);
            }

            await toClient.Writer.CompleteAsync();
        }, cancellationToken);

        var received = new MemoryStream();
        var receiving = toClient.Reader.CopyToAsync(received, cancellationToken);
        var expected = new List<string>();
        for (var i = 0; i < 100; i++)
        {
            var text = new string((char)('a' + i % 26), i * 37);
            expected.Add("Text " + text);
            WebSocketFrameWriter.WriteFrame(toServer.Writer, new() { IsFinal = true, Opcode = WebSocketOpcode.Text, MaskingKey = WebSocketMask.CreateKey() }, Encoding.UTF8.GetBytes(text));
            await toServer.Writer.FlushAsync(cancellationToken);
        }

        WebSocketFrameWriter.WriteClose(toServer.Writer, WebSocketCloseStatus.NormalClosure, "bye", WebSocketMask.CreateKey());
        await toServer.Writer.FlushAsync(cancellationToken);

        await server;
        await receiving;
        var (events, error) = Collect([new(received.ToArray())], new() { Role = WebSocketRole.Client });
        error.Should().Be(WebSocketProtocolError.None);
        events.Should().Equal([.. expected, "Close \u0003\u00e8bye"]);

        static bool Echo(ReadOnlySequence<byte> input, PipeWriter output, ref WebSocketFrameReaderState state, out SequencePosition consumed)
        {
            var reader = new WebSocketFrameReader(input, state);
            var isClosed = false;
            while (!isClosed && reader.Read() == OperationStatus.Done)
            {
                // Each part goes back as a fragment of its own.
                var payload = new byte[reader.Payload.Length];
                reader.CopyPayloadTo(payload);
                var opcode = reader.IsStartOfFrame ? reader.Header.Opcode : WebSocketOpcode.Continuation;
                WebSocketFrameWriter.WriteFrame(output, new() { IsFinal = reader.IsEndOfFrame, Opcode = opcode }, payload);
                isClosed = reader.Header.Opcode == WebSocketOpcode.Close;
            }

            consumed = reader.Position;
            state = reader.CurrentState;
            return isClosed;
        }
    }

    [Fact]
    public void Read_Warm_AllocatesNothing()
    {
        byte[] bytes =
        [
            .. Frame(WebSocketOpcode.Text, Encoding.UTF8.GetBytes(new string('界', 1000)), isFinal: false),
            .. Frame(WebSocketOpcode.Ping, "x"u8),
            .. Frame(WebSocketOpcode.Continuation, "end"u8),
            .. Frame(WebSocketOpcode.Close, [3, 232]),
        ];
        var whole = new ReadOnlySequence<byte>(bytes);
        var parts = Sequences.Random(bytes, new Random(1));
        var destination = new byte[bytes.Length];
        Run(whole);
        Run(parts);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            Run(whole);
            Run(parts);
        }

        (GC.GetAllocatedBytesForCurrentThread() - before).Should().Be(0);

        void Run(in ReadOnlySequence<byte> input)
        {
            var reader = new WebSocketFrameReader(input, default);
            while (reader.Read() == OperationStatus.Done)
                reader.CopyPayloadTo(destination);
            if (reader.Error != WebSocketProtocolError.None)
                Assert.Fail(reader.Error.ToString());
        }
    }

    [Fact]
    public void Options_Default_AreTheDocumentedOnes()
    {
        default(WebSocketFrameReaderOptions).MaximumMessageLength.Should().Be(1024 * 1024);
        default(WebSocketFrameReaderOptions).MaximumFragments.Should().Be(1024);
        default(WebSocketFrameReaderOptions).Role.Should().Be(WebSocketRole.Server);
        new WebSocketFrameReaderOptions { MaximumMessageLength = 0, MaximumFragments = int.MaxValue }.Should().BeEquivalentTo(new { MaximumMessageLength = 0L, MaximumFragments = int.MaxValue });
        var negative = () => new WebSocketFrameReaderOptions { MaximumMessageLength = -1 };
        var none = () => new WebSocketFrameReaderOptions { MaximumFragments = 0 };
        negative.Should().Throw<ArgumentOutOfRangeException>();
        none.Should().Throw<ArgumentOutOfRangeException>();
    }

    internal static byte[] Frame(WebSocketOpcode opcode, ReadOnlySpan<byte> payload, bool isFinal = true, bool rsv1 = false)
    {
        var output = new ArrayBufferWriter<byte>();
        WebSocketFrameWriter.WriteFrame(output, new() { IsFinal = isFinal, Rsv1 = rsv1, Opcode = opcode, MaskingKey = Key }, payload);
        return output.WrittenSpan.ToArray();
    }

    private static string Unmasked(WebSocketFrameReader reader)
    {
        var payload = new byte[reader.Payload.Length];
        reader.CopyPayloadTo(payload);
        return Encoding.UTF8.GetString(payload);
    }

    internal static List<ReadOnlySequence<byte>> Arrivals(byte[] bytes, params int[] splits)
    {
        var arrivals = new List<ReadOnlySequence<byte>>();
        var from = 0;
        foreach (var to in splits.Append(bytes.Length))
        {
            arrivals.Add(new(bytes, from, to - from));
            from = to;
        }

        return arrivals;
    }

    /// <summary>Reads arrival after arrival, what was left included, as a pipe would; joins the parts of frames and messages.</summary>
    internal static (List<string> Events, WebSocketProtocolError Error) Collect(
        List<ReadOnlySequence<byte>> arrivals, WebSocketFrameReaderOptions options, Random? random = null)
    {
        var events = new List<string>();
        var message = new List<byte>();
        var opcode = WebSocketOpcode.Continuation;
        var state = new WebSocketFrameReaderState(options);
        byte[] left = [];
        foreach (var arrival in arrivals)
        {
            var input = left.Length == 0 ? arrival : Concatenate(left, arrival, random);
            var reader = new WebSocketFrameReader(input, state);
            OperationStatus status;
            while ((status = reader.Read()) == OperationStatus.Done)
            {
                var payload = new byte[reader.Payload.Length];
                reader.CopyPayloadTo(payload);
                if (reader.Header.IsControl)
                {
                    reader.IsEndOfFrame.Should().BeTrue();
                    events.Add($"{reader.Header.Opcode} {Encoding.Latin1.GetString(payload)}");
                    continue;
                }

                if (reader.Header.Opcode != WebSocketOpcode.Continuation)
                    opcode = reader.Header.Opcode;
                message.AddRange(payload);
                if (!reader.IsEndOfMessage)
                    continue;
                events.Add($"{opcode} {Encoding.UTF8.GetString(message.ToArray())}");
                message.Clear();
            }

            if (status == OperationStatus.InvalidData)
                return (events, reader.Error);
            left = input.Slice(reader.Position).ToArray();
            state = reader.CurrentState;
        }

        return (events, WebSocketProtocolError.None);
    }

    internal static ReadOnlySequence<byte> Concatenate(byte[] left, in ReadOnlySequence<byte> arrival, Random? random) =>
        random is null ? Sequences.Create(left, arrival.ToArray()) : Sequences.Random([.. left, .. arrival.ToArray()], random);
}
