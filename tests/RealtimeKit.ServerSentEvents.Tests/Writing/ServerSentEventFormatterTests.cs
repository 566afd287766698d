using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace RealtimeKit.ServerSentEvents.Tests;

public class ServerSentEventFormatterTests
{
    [Theory]
    [InlineData("x", null, null, null, "data: x\n\n")]
    [InlineData("", null, null, null, "data: \n\n")]
    [InlineData(" x", "", null, null, "data:  x\n\n")]
    [InlineData("a\nb\rc\r\nd", null, null, null, "data: a\ndata: b\ndata: c\ndata: d\n\n")]
    [InlineData("\n", null, null, null, "data: \ndata: \n\n")]
    [InlineData("\r\n\r\n", null, null, null, "data: \ndata: \ndata: \n\n")]
    [InlineData("x", "tick", "7", 3000, "event: tick\nid: 7\nretry: 3000\ndata: x\n\n")]
    [InlineData("x", null, "", 0, "id: \nretry: 0\ndata: x\n\n")]
    [InlineData("\u00e9\u4e16\ud83d\ude00", "\u00e9", "\u4e16", null, "event: \u00e9\nid: \u4e16\ndata: \u00e9\u4e16\ud83d\ude00\n\n")]
    public void WriteEvent_AnyForm_WritesTheStandardsFormat(string data, string? eventType, string? id, int? retry, string expected)
    {
        var time = retry is { } milliseconds ? TimeSpan.FromMilliseconds(milliseconds) : (TimeSpan?)null;
        var utf8 = Encoding.UTF8.GetBytes(data);

        Text(output => ServerSentEventFormatter.WriteEvent(output, data.AsSpan(), eventType, id, time)).Should().Be(expected);
        Text(output => ServerSentEventFormatter.WriteEvent(output, utf8.AsSpan(), eventType, id, time)).Should().Be(expected);
        for (var size = 1; size < 6; size++)
            Text(output => ServerSentEventFormatter.WriteEvent(output, Sequences.Cut(utf8, size), eventType, id, time)).Should().Be(expected);
    }

    [Theory]
    [InlineData("a\nb", null)]
    [InlineData("a\rb", null)]
    [InlineData("a\r\ndata: injected", null)]
    [InlineData("a\0b", null)]
    [InlineData(null, "1\ndata: injected")]
    [InlineData(null, "1\r")]
    [InlineData(null, "1\r\n\r\n")]
    [InlineData(null, "1\0")]
    public void WriteEvent_Injection_IsRefusedBeforeAByteIsWritten(string? eventType, string? id)
    {
        var output = new ArrayBufferWriter<byte>();
        var prepared = PreparedServerSentEvent.Create("x");

        FluentActions.Invoking(() => ServerSentEventFormatter.WriteEvent(output, "x".AsSpan(), eventType, id)).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => ServerSentEventFormatter.WriteEvent(output, "x"u8, eventType, id)).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => ServerSentEventFormatter.WriteEvent(output, ReadOnlySequence<byte>.Empty, eventType, id)).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => ServerSentEventFormatter.WriteEvent(output, "x", TestJson.Default.String, eventType, id)).Should().Throw<ArgumentException>();
        if (eventType is not null)
            FluentActions.Invoking(() => PreparedServerSentEvent.Create("x", eventType)).Should().Throw<ArgumentException>();
        if (id is not null)
        {
            FluentActions.Invoking(() => ServerSentEventFormatter.WriteEvent(output, prepared, id)).Should().Throw<ArgumentException>();
            FluentActions.Invoking(() => ServerSentEventFormatter.WriteId(output, id)).Should().Throw<ArgumentException>();
        }

        output.WrittenCount.Should().Be(0);
    }

    [Fact]
    public void WriteEvent_NegativeRetry_IsRefusedBeforeAByteIsWritten()
    {
        var output = new ArrayBufferWriter<byte>();

        FluentActions.Invoking(() => ServerSentEventFormatter.WriteEvent(output, "x"u8, "type", "id", TimeSpan.FromSeconds(-1))).Should().Throw<ArgumentOutOfRangeException>();
        FluentActions.Invoking(() => ServerSentEventFormatter.WriteRetry(output, TimeSpan.FromTicks(-1))).Should().Throw<ArgumentOutOfRangeException>();

        output.WrittenCount.Should().Be(0);
    }

    [Fact]
    public void WriteComment_SeveralLines_WritesACommentForEach() =>
        Text(static output => ServerSentEventFormatter.WriteComment(output, "a\r\ndata: b\rc")).Should().Be(": a\n: data: b\n: c\n\n");

    [Fact]
    public void WriteRetryAndId_WriteBlocksWithoutData()
    {
        Text(static output => ServerSentEventFormatter.WriteRetry(output, TimeSpan.MaxValue)).Should().Be("retry: 922337203685477\n\n");
        Text(static output => ServerSentEventFormatter.WriteId(output, "7")).Should().Be("id: 7\n\n");
    }

    [Fact]
    public void WriteEvent_Json_IsOneLineWhereItsOptionsSaySo()
    {
        Text(static output => ServerSentEventFormatter.WriteEvent(output, new Tick(1.5m), TestJson.Default.Tick)).Should().Be("data: {\"Price\":1.5}\n\n");
        Text(static output => ServerSentEventFormatter.WriteEvent(output, "a\nb", TestJson.Default.String, "t", "1", TimeSpan.Zero))
            .Should().Be("event: t\nid: 1\nretry: 0\ndata: \"a\\nb\"\n\n");
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    public void WriteEvent_IndentedJson_BecomesLinesOfData(string newLine)
    {
        var json = new TestJson(new JsonSerializerOptions { WriteIndented = true, NewLine = newLine }).Tick;

        Text(output => ServerSentEventFormatter.WriteEvent(output, new Tick(1), json, "t")).Should().Be("event: t\ndata: {\ndata:   \"Price\": 1\ndata: }\n\n");
    }

    [Fact]
    public void WriteEvent_JsonEncoder_IsTheOneOfItsOptions()
    {
        var relaxed = new TestJson(new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }).String;
        for (var round = 0; round < 2; round++)
        {
            Text(output => ServerSentEventFormatter.WriteEvent(output, "\u4e16<", relaxed)).Should().Be("data: \"\u4e16<\"\n\n");
            Text(output => ServerSentEventFormatter.WriteEvent(output, "\u4e16<", TestJson.Default.String)).Should().Be("data: \"\\u4E16\\u003C\"\n\n");
        }
    }

    [Theory]
    [InlineData(10)]
    [InlineData(1_000)]
    [InlineData(40_000)]
    public void WriteEvent_JsonOfAnySize_ParsesBack(int length)
    {
        var value = new string('\u4e16', length);
        var output = new ArrayBufferWriter<byte>();

        ServerSentEventFormatter.WriteEvent(output, value, TestJson.Default.String);

        var item = ParserHarness.Assemble([output.WrittenMemory]).Items.Should().ContainSingle().Which;
        JsonSerializer.Deserialize(item.Data, TestJson.Default.String).Should().Be(value);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100_000)]
    public void WriteEvent_JsonThatThrows_WritesNothingAndTheNextEventIsWhole(int before)
    {
        var options = new JsonSerializerOptions { Converters = { new FailingConverter(before) }, TypeInfoResolver = new DefaultJsonTypeInfoResolver() };
        var json = (JsonTypeInfo<Failing>)options.GetTypeInfo(typeof(Failing));
        var output = new ArrayBufferWriter<byte>();

        FluentActions.Invoking(() => ServerSentEventFormatter.WriteEvent(output, new Failing(), json, "type", "id")).Should().Throw<NotSupportedException>();

        output.WrittenCount.Should().Be(0);
        ServerSentEventFormatter.WriteEvent(output, "next", TestJson.Default.String);
        Encoding.UTF8.GetString(output.WrittenSpan).Should().Be("data: \"next\"\n\n");
    }

    [Fact]
    public void WriteEvent_Prepared_TakesTheStreamsOwnId()
    {
        var prepared = PreparedServerSentEvent.Create("a\nb", "tick");

        Text(output => ServerSentEventFormatter.WriteEvent(output, prepared, "7")).Should().Be("id: 7\nevent: tick\ndata: a\ndata: b\n\n");
        Text(output => ServerSentEventFormatter.WriteEvent(output, prepared)).Should().Be("event: tick\ndata: a\ndata: b\n\n");
        PreparedServerSentEvent.Create("a\nb"u8, "tick").Utf8.ToArray().Should().Equal(prepared.Utf8.ToArray());
        Encoding.UTF8.GetString(PreparedServerSentEvent.Create(new Tick(1), TestJson.Default.Tick).Utf8.Span).Should().Be("data: {\"Price\":1}\n\n");
    }

    [Fact]
    public void WriteEvent_AnyValue_ParsesBackToIt()
    {
        for (var seed = 0; seed < 3_000; seed++)
        {
            var random = new Random(seed);
            var data = RandomText(random, lineEnds: true);
            var type = random.Next(3) == 0 ? RandomText(random, lineEnds: false).Replace("\0", "", StringComparison.Ordinal) : null;
            var id = random.Next(3) == 0 ? RandomText(random, lineEnds: false).Replace("\0", "", StringComparison.Ordinal) : null;
            var retry = random.Next(3) == 0 ? TimeSpan.FromMilliseconds(random.Next()) : (TimeSpan?)null;
            var expected = new ParsedItem(
                "event", data.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n'), string.IsNullOrEmpty(type) ? "message" : type, id ?? "", id is not null,
                retry?.TotalMilliseconds.ToString(null as IFormatProvider));
            var utf8 = Encoding.UTF8.GetBytes(data);

            Check(output => ServerSentEventFormatter.WriteEvent(output, data.AsSpan(), type, id, retry));
            Check(output => ServerSentEventFormatter.WriteEvent(output, utf8.AsSpan(), type, id, retry));
            Check(output => ServerSentEventFormatter.WriteEvent(output, Sequences.Join(RandomStreams.Split(utf8, random)), type, id, retry));

            void Check(Action<IBufferWriter<byte>> write)
            {
                // A writer that lends no more than is asked for finds every wrong assumption about room.
                var output = new StingyBufferWriter(random.Next(1, 100));
                write(output);
                var items = ParserHarness.Assemble([output.Written]).Items.Where(item => item.Kind == "event").ToList();
                if (items.Count != 1 || items[0] != expected)
                    items.Should().Equal([expected], "seed {0}", seed);
            }
        }
    }

    [Fact]
    public void WriteEvent_LoneSurrogates_BecomeReplacementCharacters() =>
        Text(static output => ServerSentEventFormatter.WriteEvent(output, "a\ud800\n\udc00b".AsSpan())).Should().Be("data: a\uFFFD\ndata: \uFFFDb\n\n");

    [Fact]
    public void WriteEvent_WarmedUp_AllocatesNothing()
    {
        var output = new ArrayBufferWriter<byte>(1 << 20);
        var prepared = PreparedServerSentEvent.Create("x");
        var tick = new Tick(1.25m);
        for (var round = 0; round < 100; round++)
            WriteAll();

        var before = GC.GetAllocatedBytesForCurrentThread();
        WriteAll();
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().Be(0);

        void WriteAll()
        {
            output.ResetWrittenCount();
            ServerSentEventFormatter.WriteEvent(output, "{\"t\":\"ab\"}"u8);
            ServerSentEventFormatter.WriteEvent(output, "several\nlines".AsSpan(), "type", "id", TimeSpan.FromSeconds(1));
            ServerSentEventFormatter.WriteEvent(output, tick, TestJson.Default.Tick, "type");
            ServerSentEventFormatter.WriteEvent(output, prepared, "7");
            ServerSentEventFormatter.WriteComment(output, "comment");
        }
    }

#if !CHECKING_POOL
    [Fact]
    public void WriteEvent_IndentedJsonWarmedUp_AllocatesNothing()
    {
        var output = new ArrayBufferWriter<byte>(1 << 20);
        var tick = new Tick(1.25m);
        var json = new TestJson(new JsonSerializerOptions { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }).Tick;
        for (var round = 0; round < 100; round++)
            ServerSentEventFormatter.WriteEvent(output, tick, json);

        var before = GC.GetAllocatedBytesForCurrentThread();
        ServerSentEventFormatter.WriteEvent(output, tick, json);
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().Be(0);
    }
#endif

    private static string Text(Action<ArrayBufferWriter<byte>> write)
    {
        var output = new ArrayBufferWriter<byte>();
        write(output);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    private static string RandomText(Random random, bool lineEnds)
    {
        string[] pieces = ["a", "data: ", ":", " ", "\u00e9", "\u4e16", "\ud83d\ude00", "\0", "\uFEFF", "id: 1", "\t", new string('z', random.Next(300)), new string('\u4e16', random.Next(900))];
        string[] ends = ["\n", "\r", "\r\n", "\n\n"];
        var text = new StringBuilder();
        for (var count = random.Next(12); count > 0; count--)
            text.Append(lineEnds && random.Next(3) == 0 ? ends[random.Next(ends.Length)] : pieces[random.Next(pieces.Length)]);
        return text.ToString();
    }

    private sealed record Failing;

    private sealed class FailingConverter(int before) : JsonConverter<Failing>
    {
        public override Failing Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => throw new NotSupportedException();

        public override void Write(Utf8JsonWriter writer, Failing value, JsonSerializerOptions options)
        {
            writer.WriteStartArray();
            writer.WriteStringValue(new string('x', before));
            writer.WriteStringValue("y");
            throw new NotSupportedException();
        }
    }

    private sealed class StingyBufferWriter(int size) : IBufferWriter<byte>
    {
        private readonly List<byte> _written = [];
        private byte[] _lent = [];

        public ReadOnlyMemory<byte> Written => _written.ToArray();

        public void Advance(int count)
        {
            _written.AddRange(_lent.AsSpan(0, count));
            _lent = [];
        }

        public Memory<byte> GetMemory(int sizeHint = 0) => _lent = new byte[sizeHint == 0 ? size : sizeHint];

        public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;
    }
}
