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

    // RFC 6455 §5.2–5.5 as a stream shows them, whatever arrives together.
    [Theory]
    [InlineData("C1 80 00000000", WebSocketProtocolError.ReservedBit)]
    [InlineData("A2 80 00000000", WebSocketProtocolError.ReservedBit)]
    [InlineData("99 80 00000000", WebSocketProtocolError.ReservedBit)]
    [InlineData("83 80 00000000", WebSocketProtocolError.ReservedOpcode)]
    [InlineData("8B 80 00000000", WebSocketProtocolError.ReservedOpcode)]
    [InlineData("81 00", WebSocketProtocolError.MaskRequired)]
    [InlineData("89 FE 007E 00000000", WebSocketProtocolError.ControlTooLong)]
    [InlineData("08 80 00000000", WebSocketProtocolError.ControlFragmented)]
    [InlineData("09 80 00000000", WebSocketProtocolError.ControlFragmented)]
    [InlineData("80 80 00000000", WebSocketProtocolError.UnexpectedContinuation)]
    [InlineData("00 80 00000000", WebSocketProtocolError.UnexpectedContinuation)]
    [InlineData("81 80 00000000 80 80 00000000", WebSocketProtocolError.UnexpectedContinuation)]
    [InlineData("01 80 00000000 81 80 00000000", WebSocketProtocolError.ExpectedContinuation)]
    [InlineData("01 80 00000000 89 80 00000000 02 80 00000000", WebSocketProtocolError.ExpectedContinuation)]
    [InlineData("82 FE 007D 00000000", WebSocketProtocolError.NonMinimalLength)]
    [InlineData("82 FF 000000000000FFFF 00000000", WebSocketProtocolError.NonMinimalLength)]
    [InlineData("82 FF 8000000000000000 00000000", WebSocketProtocolError.LengthOverflow)]
    [InlineData("82 FF 7FFFFFFFFFFFFFFF 00000000", WebSocketProtocolError.MessageTooBig)]
    [InlineData("82 FF 0000000000100001 00000000", WebSocketProtocolError.MessageTooBig)]
    [InlineData("88 81 00000000 03", WebSocketProtocolError.CloseLengthOne)]
    [InlineData("88 82 00000000 03ED", WebSocketProtocolError.CloseCodeInvalid)]
    [InlineData("88 82 00000000 0000", WebSocketProtocolError.CloseCodeInvalid)]
    [InlineData("88 83 00000000 03E8 FF", WebSocketProtocolError.CloseReasonInvalidUtf8)]
    [InlineData("81 81 00000000 C0", WebSocketProtocolError.InvalidUtf8)]
    [InlineData("81 84 00000000 F490", WebSocketProtocolError.InvalidUtf8)]
    [InlineData("81 81 00000000 E7", WebSocketProtocolError.InvalidUtf8)]
    [InlineData("01 81 00000000 E7 80 80 00000000", WebSocketProtocolError.InvalidUtf8)]
    [InlineData("01 81 00000000 E7 00 81 00000000 95 80 81 00000000 41", WebSocketProtocolError.InvalidUtf8)]
    public void Read_RuleBroken_NamesItWhateverTheSplit(string hex, WebSocketProtocolError expected)
    {
        var bytes = Convert.FromHexString(hex.Replace(" ", ""));
        foreach (var sequence in Sequences.EverySplit(bytes))
            Collect([sequence], default).Error.Should().Be(expected);
        for (var at = 0; at <= bytes.Length; at++)
            Collect(Arrivals(bytes, at), default).Error.Should().Be(expected);
        Collect(Arrivals(bytes, [.. Enumerable.Range(0, bytes.Length)]), default).Error.Should().Be(expected);
    }

    [Fact]
    public void Read_AfterAnError_StaysThere()
    {
        var reader = new WebSocketFrameReader(new ReadOnlySequence<byte>([0x81, 0x00, 0x81, 0x80, 0, 0, 0, 0]), default);
        reader.Read().Should().Be(OperationStatus.InvalidData);
        reader.Read().Should().Be(OperationStatus.InvalidData);
        reader.Header.Opcode.Should().Be(WebSocketOpcode.Text);
        reader.Payload.IsEmpty.Should().BeTrue();
        reader = new WebSocketFrameReader(new ReadOnlySequence<byte>(Frame(WebSocketOpcode.Text, "x"u8)), reader.CurrentState);
        reader.Read().Should().Be(OperationStatus.InvalidData);
        reader.Error.Should().Be(WebSocketProtocolError.MaskRequired);
    }

    // RFC 6455 §5.1
    [Fact]
    public void Read_ClientGetsMaskedFrame_IsMaskForbidden() =>
        Collect([new(Frame(WebSocketOpcode.Text, "x"u8))], new() { Role = WebSocketRole.Client }).Error.Should().Be(WebSocketProtocolError.MaskForbidden);

    // RFC 6455 §8.1, DESIGN.md §6: the earliest byte, long before the frame or the message ends.
    [Fact]
    public void Read_TextInvalidEarlyInAHugeFrame_IsRefusedAtOnce()
    {
        byte[] start = [0x01, 0xFF, 0, 0, 0, 0, 0, 0x0F, 0xFF, 0xFF, 0, 0, 0, 0, .. "κόσμε"u8, 0xF4];
        var reader = new WebSocketFrameReader(new ReadOnlySequence<byte>(start), default);
        reader.Read().Should().Be(OperationStatus.Done);
        reader = new WebSocketFrameReader(new ReadOnlySequence<byte>([0x90]), reader.CurrentState);
        reader.Read().Should().Be(OperationStatus.InvalidData);
        reader.Error.Should().Be(WebSocketProtocolError.InvalidUtf8);
    }

    // The bytes of one character in a frame each, a ping between them; pings need not be text.
    [Fact]
    public void Read_CharacterAcrossFragments_IsValid()
    {
        var character = "😀"u8.ToArray();
        byte[] bytes = [.. Frame(WebSocketOpcode.Text, character.AsSpan(0, 1), isFinal: false)];
        for (var i = 1; i < 4; i++)
            bytes = [.. bytes, .. Frame(WebSocketOpcode.Ping, [0xFF, 0xC0]), .. Frame(WebSocketOpcode.Continuation, character.AsSpan(i, 1), isFinal: i == 3)];
        foreach (var sequence in Sequences.EverySplit(bytes))
        {
            var (events, error) = Collect([sequence], default);
            error.Should().Be(WebSocketProtocolError.None);
            events.Where(e => !e.StartsWith("Ping", StringComparison.Ordinal)).Should().Equal("Text 😀");
        }
    }

    [Fact]
    public void Read_BinaryAndCompressedText_AreNotValidated()
    {
        Collect([new(Frame(WebSocketOpcode.Binary, [0xFF]))], default).Error.Should().Be(WebSocketProtocolError.None);

        // RFC 7692 §6: RSV1 on the first frame stands for the whole message. The next message is text again.
        byte[] compressed =
        [
            .. Frame(WebSocketOpcode.Text, [0xFF], isFinal: false, rsv1: true), .. Frame(WebSocketOpcode.Continuation, [0xFF]),
            .. Frame(WebSocketOpcode.Text, "text"u8),
        ];
        Collect([new(compressed)], new() { AllowsRsv1 = true }).Error.Should().Be(WebSocketProtocolError.None);
        byte[] after = [.. compressed, .. Frame(WebSocketOpcode.Text, [0xFF])];
        Collect([new(after)], new() { AllowsRsv1 = true }).Error.Should().Be(WebSocketProtocolError.InvalidUtf8);
    }

    [Fact]
    public void Read_FragmentsTogetherOverTheLimit_AreMessageTooBigAtTheHeader()
    {
        var options = new WebSocketFrameReaderOptions { MaximumMessageLength = 10 };
        byte[] fits = [.. Frame(WebSocketOpcode.Binary, new byte[6], isFinal: false), .. Frame(WebSocketOpcode.Continuation, new byte[4])];
        Collect([new((byte[])[.. fits, .. fits])], options).Error.Should().Be(WebSocketProtocolError.None);

        byte[] over = [.. Frame(WebSocketOpcode.Binary, new byte[6], isFinal: false), .. Frame(WebSocketOpcode.Continuation, new byte[5])[..6]];
        Collect([new(over)], options).Error.Should().Be(WebSocketProtocolError.MessageTooBig);

        // A control frame in between is not part of the message.
        byte[] ping = [.. Frame(WebSocketOpcode.Binary, new byte[10], isFinal: false), .. Frame(WebSocketOpcode.Ping, new byte[100])];
        Collect([new(ping)], options).Error.Should().Be(WebSocketProtocolError.None);
    }

    // Empty fragments count: a flood of them ends at the limit, however they arrive.
    [Fact]
    public void Read_FloodOfEmptyFragments_IsTooManyFragments()
    {
        var bytes = new List<byte>(Frame(WebSocketOpcode.Binary, [], isFinal: false));
        for (var i = 1; i < 1024; i++)
            bytes.AddRange(Frame(WebSocketOpcode.Continuation, [], isFinal: false));
        Collect([new(bytes.ToArray())], default).Error.Should().Be(WebSocketProtocolError.None);
        bytes.AddRange(Frame(WebSocketOpcode.Continuation, []));
        Collect([new(bytes.ToArray())], default).Error.Should().Be(WebSocketProtocolError.TooManyFragments);

        byte[] two = [.. Frame(WebSocketOpcode.Text, "a"u8, isFinal: false), .. Frame(WebSocketOpcode.Ping, []), .. Frame(WebSocketOpcode.Continuation, "b"u8)];
        Collect([new((byte[])[.. two, .. two])], new() { MaximumFragments = 2 }).Events.Should().Equal("Ping ", "Text ab", "Ping ", "Text ab");
        Collect([new(two)], new() { MaximumFragments = 1 }).Error.Should().Be(WebSocketProtocolError.TooManyFragments);
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

    // Wire data never throws, and every Read either ends or takes something: no endless loop on one frame.
    [Fact]
    public void Read_RandomBytes_NeverThrowsAndAlwaysEnds()
    {
        for (var seed = 0; seed < 20_000; seed++)
        {
            var random = new Random(seed);
            var bytes = new byte[random.Next(200)];
            random.NextBytes(bytes);
            if (bytes.Length > 1 && random.Next(4) != 0)
            {
                // Mostly a valid beginning, so that the noise reaches what comes after it.
                bytes[0] = (byte)(0x80 | random.Next(3) switch { 0 => 1, 1 => 2, _ => 8 + random.Next(3) });
                bytes[1] = (byte)(0x80 | random.Next(126));
            }

            var splits = Enumerable.Range(0, random.Next(10)).Select(_ => random.Next(bytes.Length + 1)).Order().ToArray();
            var options = new WebSocketFrameReaderOptions { Role = (WebSocketRole)random.Next(2), AllowsRsv1 = random.Next(2) == 0 };
            var whole = Collect([new(bytes)], options);
            var parts = Collect(Arrivals(bytes, splits), options, random);
            if (whole.Error != parts.Error || !whole.Events.SequenceEqual(parts.Events))
                Assert.Fail($"seed {seed}: {whole.Error} against {parts.Error}");
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

    private static byte[] Frame(WebSocketOpcode opcode, ReadOnlySpan<byte> payload, bool isFinal = true, bool rsv1 = false)
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

    private static List<ReadOnlySequence<byte>> Arrivals(byte[] bytes, params int[] splits)
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
    private static (List<string> Events, WebSocketProtocolError Error) Collect(
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

    private static ReadOnlySequence<byte> Concatenate(byte[] left, in ReadOnlySequence<byte> arrival, Random? random) =>
        random is null ? Sequences.Create(left, arrival.ToArray()) : Sequences.Random([.. left, .. arrival.ToArray()], random);
}
