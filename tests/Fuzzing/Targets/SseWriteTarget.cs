using System.Buffers;
using System.Text;
using RealtimeKit.ServerSentEvents;

namespace RealtimeKit.Fuzzing;

internal sealed class SseWriteTarget : FuzzTarget
{
    public override string Name => "sse-write";

    public override string Description => "What is written as an event reads back as one event and nothing else, whatever its fields hold; all ways to write it give the same bytes.";

    public override IReadOnlyList<byte[]> Dictionary { get; } =
        [.. ((string[])["\n", "\r", "\r\n", "\n\n", "data: x", "event: x", "id: 1", "retry: 1", ":", " ", "\0", "é€😀", "\uFEFF"]).Select(Encoding.UTF8.GetBytes)];

    public override void Run(ReadOnlySpan<byte> input)
    {
        var settings = new FuzzInput(input);
        var flags = settings.Byte();
        var type = (flags & 1) != 0 ? Encoding.UTF8.GetString(settings.Take(settings.Byte())) : null;
        var id = (flags & 2) != 0 ? Encoding.UTF8.GetString(settings.Take(settings.Byte())) : null;
        var retry = (flags & 4) != 0 ? TimeSpan.FromMilliseconds(settings.UInt16() * (long)settings.UInt16()) : (TimeSpan?)null;
        var random = new FuzzRandom(settings.Byte());
        var data = Repeat(settings.Rest, (flags >> 6) switch { 0 => 1, 1 => 3, _ => (flags >> 4) });
        var isAllowed = !(type ?? "").AsSpan().ContainsAny('\r', '\n', '\0') && !(id ?? "").AsSpan().ContainsAny('\r', '\n', '\0');

        var bytes = Write(isAllowed, output => ServerSentEventFormatter.WriteEvent(output, data, type, id, retry));
        var cut = Write(isAllowed, output => ServerSentEventFormatter.WriteEvent(output, Segments.Join(Segments.Cut(data, random)), type, id, retry));
        Oracle.Equal(bytes, cut, "an event of several segments");
        var text = Encoding.UTF8.GetString(data);
        var chars = Write(isAllowed, output => ServerSentEventFormatter.WriteEvent(output, text, type, id, retry));
        CheckComment(text);
        if (!isAllowed)
            return;

        Check(bytes, data, type, id, retry);
        Check(chars, Encoding.UTF8.GetBytes(text), type, id, retry);
        if (retry is null)
            Oracle.Equal(Write(true, output => ServerSentEventFormatter.WriteEvent(output, PreparedServerSentEvent.Create(data, type), id)).Length, bytes.Length, "a prepared event");
    }

    private static byte[] Repeat(ReadOnlySpan<byte> data, int times)
    {
        var result = new byte[data.Length * times];
        for (var i = 0; i < times; i++)
            data.CopyTo(result.AsSpan(i * data.Length));
        return result;
    }

    private static byte[] Write(bool isAllowed, Action<ArrayBufferWriter<byte>> write)
    {
        var output = new ArrayBufferWriter<byte>();
        try
        {
            write(output);
        }
        catch (ArgumentException)
        {
            Oracle.That(!isAllowed, "what is allowed is refused");
            Oracle.Equal(0, output.WrittenCount, "bytes of an event that is refused");
            return [];
        }

        Oracle.That(isAllowed, "a line end or NUL in a type or an id is written");
        return output.WrittenSpan.ToArray();
    }

    private static void Check(byte[] stream, ReadOnlySpan<byte> data, string? type, string? id, TimeSpan? retry)
    {
        var options = new ServerSentEventParserOptions { IncludeComments = true, MaxEventTypeLength = 1 << 20, MaxIdLength = 1 << 20, MaxLineLength = 1 << 20 };
        var lines = Encoding.Latin1.GetString(data).Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        var expected = new PlainEvent("event", lines, Latin1(string.IsNullOrEmpty(type) ? "message" : type), Latin1(id ?? ""), id is not null,
            retry is { } time ? ((long)Math.Ceiling(time.TotalMilliseconds)).ToString(System.Globalization.CultureInfo.InvariantCulture) : null);
        var parsed = PlainEvents.Parse(stream, options);
        Oracle.That(parsed.Items is [var only] && only == expected, $"written and read: {string.Join("; ", parsed.Items)}; expected {expected}");
        using var assembler = new ServerSentEventAssembler(options);
        ReadOnlySpan<byte> rest = stream;
        Oracle.That(assembler.TryRead(ref rest, out var item) && Encoding.Latin1.GetString(item.Data) == lines && rest.IsEmpty, "our parser");
    }

    private static void CheckComment(string text)
    {
        var output = new ArrayBufferWriter<byte>();
        ServerSentEventFormatter.WriteComment(output, text);
        var parsed = PlainEvents.Parse(output.WrittenSpan, new ServerSentEventParserOptions { IncludeComments = true, IncludeRetries = true, MaxLineLength = 1 << 20 });
        Oracle.That(parsed.Items.All(static item => item.Kind == "comment") && parsed.LastEventId.Length == 0, "a comment holds something else");
    }

    private static string Latin1(string text) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));
}
