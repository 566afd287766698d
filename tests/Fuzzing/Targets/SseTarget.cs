using System.Buffers;
using System.Net.ServerSentEvents;
using System.Text;
using RealtimeKit.ServerSentEvents;

namespace RealtimeKit.Fuzzing;

internal sealed class SseTarget : FuzzTarget
{
    private readonly GuardedBuffer _input = new(65536);

    public override string Name => "sse";

    public override string Description => "The event stream parser, whole, cut, and byte by byte, against a plain one of WHATWG HTML §9.2.6 and the framework's; limits.";

    public override IReadOnlyList<byte[]> Dictionary { get; } =
    [
        .. ((string[])["data:", "data", "data: ", "event:", "event: x", "id:", "id: ", "retry:", "retry: 10", ":", ": c", "\n", "\r", "\r\n", "\n\n", "\r\r", "\r\n\r\n", "\n\r", "data: a\n\n",
            "id\n", "datax:", "dat", "eventx", "Data:", " data:", "9223372036854775807", "9223372036854775808", "\uFEFF", "\0", "é€😀", "data:\ndata:\n\n", "id: 1\n\n"]).Select(Encoding.UTF8.GetBytes),
    ];

    public override void Run(ReadOnlySpan<byte> input)
    {
        var settings = new FuzzInput(input);
        var (flags, limit) = (settings.Byte(), settings.Byte());
        var random = new FuzzRandom(settings.Byte());
        var isLimited = (flags & 4) != 0;
        var options = new ServerSentEventParserOptions
        {
            IncludeComments = (flags & 1) != 0,
            IncludeRetries = (flags & 2) != 0,
            MaxLineLength = isLimited ? 1 + limit % 64 : 256 * 1024,
            MaxEventLength = isLimited ? 1 + limit / 2 : 1024 * 1024,
            MaxEventTypeLength = isLimited ? 1 + limit % 16 : 8192,
            MaxIdLength = isLimited ? 1 + limit % 13 : 8192,
        };
        var stream = settings.Rest;
        var expected = PlainEvents.Parse(stream, options);
        Check(expected, options, [stream.ToArray()], asSequence: false);
        Check(expected, options, Segments.Bytes(stream), asSequence: false);
        Check(expected, options, Segments.Cut(stream, random), asSequence: false);
        Check(expected, options, Segments.Cut(stream, random), asSequence: true);
        if (!isLimited)   // the framework has no limits
            CheckFramework(stream, expected);
    }

    public override byte[] Generate(FuzzRandom random)
    {
        var text = new StringBuilder();
        for (var left = random.Skewed(40); left > 0; left--)
        {
            text.Append(random.Pick(["data", "data", "data", "event", "id", "retry", "", "x"])).Append(random.Pick([":", ": ", "", ":  "]));
            text.Append(random.Pick(["", "1", "abc", "é€", "100", "a:b", new string('x', random.Skewed(300))])).Append(random.Pick(["\n", "\r\n", "\r", "\n\n", "\r\n\r\n", "\r\r"]));
        }

        return [random.NextByte(), random.NextByte(), random.NextByte(), .. Encoding.UTF8.GetBytes(text.ToString())];
    }

    private void Check(PlainEvents expected, ServerSentEventParserOptions options, List<byte[]> pieces, bool asSequence)
    {
        using var assembler = new ServerSentEventAssembler(options);
        var items = new List<PlainEvent>();
        if (asSequence)
        {
            var sequence = Segments.Join(pieces);
            while (assembler.TryRead(ref sequence, out var item))
                items.Add(ToPlain(item));
        }
        else
        {
            foreach (var piece in pieces)
            {
                var rest = _input.Copy(piece);
                var calls = 0;
                while (assembler.TryRead(ref rest, out var item))
                {
                    items.Add(ToPlain(item));
                    Oracle.That(++calls <= piece.Length + 1, "the parser runs in circles");
                }

                Oracle.That(rest.IsEmpty, "bytes are left");
            }
        }

        Oracle.Equal(expected.Limit, assembler.Limit, "limit");
        Oracle.That(items.SequenceEqual(expected.Items), $"items: {string.Join("; ", items)}; expected {string.Join("; ", expected.Items)}");
        if (expected.Limit == ServerSentEventLimit.None)
            Oracle.Equal(expected.LastEventId, Encoding.Latin1.GetString(assembler.LastEventId), "last event id");
    }

    private static PlainEvent ToPlain(in ServerSentEventView item) => item.Kind switch
    {
        ServerSentEventItemKind.Comment => new PlainEvent("comment", Text(item.Data)),
        ServerSentEventItemKind.Retry => new PlainEvent("retry", Text(item.Data)),
        _ => new PlainEvent("event", Text(item.Data), Text(item.EventType), Text(item.LastEventId), item.HasId,
            item.RetryMilliseconds < 0 ? null : Math.Min(item.RetryMilliseconds, PlainEvents.MaxRetry).ToString(System.Globalization.CultureInfo.InvariantCulture)),
    };

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);

    // Types and data: the framework reports ids and retry fields on other terms (an id stays with the events after it, a retry too large is none).
    private static void CheckFramework(ReadOnlySpan<byte> stream, PlainEvents expected)
    {
        using var source = new MemoryStream(stream.ToArray());
        var events = expected.Items.Where(static item => item.Kind == "event").ToArray();
        var index = 0;
        foreach (var item in SseParser.Create(source, static (type, data) => (Type: type, Data: Encoding.Latin1.GetString(data))).Enumerate())
        {
            Oracle.That(index < events.Length, "the framework has an event too many");
            Oracle.Equal(events[index].Data, item.Data.Data, "the framework's data");
            if (!expected.HasTypeWithoutData)
                Oracle.Equal(Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(events[index].Type)), item.EventType.Length == 0 ? "message" : item.EventType, "the framework's type");   // it leaves an empty type empty
            index++;
        }

        Oracle.Equal(events.Length, index, "the framework's events");
    }
}
