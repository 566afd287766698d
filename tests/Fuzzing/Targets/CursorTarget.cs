using System.Text;
using RealtimeKit.Topics;

namespace RealtimeKit.Fuzzing;

internal sealed class CursorTarget : FuzzTarget
{
    public override string Name => "cursor";

    public override string Description => "Cursors and positions as they come back in Last-Event-ID: never throws, one text form only, and each reads back as it was written.";

    public override IReadOnlyList<byte[]> Dictionary { get; } =
        [.. ((string[])["1", "1AREx", "AA", "AAAA", "____", "----", "0-0", "18446744073709551615-18446744073709551615", "18446744073709551616", "=", "+/", " ", "\u0130"]).Select(Encoding.UTF8.GetBytes)];

    public override void Run(ReadOnlySpan<byte> input)
    {
        var settings = new FuzzInput(input);
        var isText = (settings.Byte() & 1) != 0;
        var text = Encoding.Latin1.GetString(settings.Rest);

        // As it comes, and as base64url of any bytes, which gets further.
        CheckParse(text);
        CheckParse("1" + System.Buffers.Text.Base64Url.EncodeToString(settings.Rest));
        CheckPosition(text);
        if (!isText)
            CheckWrite(settings);
    }

    public override byte[] Generate(FuzzRandom random)
    {
        var bytes = new List<byte> { random.NextByte() };
        for (var left = random.Skewed(5); left > 0; left--)
        {
            var (name, epoch, offset) = (random.Between(1, random.Once(20) ? 256 : 12), random.Next(9), random.Next(9));
            bytes.Add((byte)(name - 1));
            bytes.Add((byte)(epoch << 4 | offset));
            bytes.AddRange(Enumerable.Range(0, name).Select(_ => (byte)random.Between('a', 'z')));
            bytes.AddRange(random.Bytes(epoch + offset));
            while ((bytes.Count - 1) % 3 != 0)
                bytes.Add(0);
        }

        return [.. bytes];
    }

    private static void CheckParse(string text)
    {
        var isCursor = TopicCursor.TryParse(text, out var cursor);
        if (!isCursor)
        {
            Oracle.That(cursor.Count == 0, "no cursor, and topics in it");
            return;
        }

        Oracle.That(text.Length is > 0 and <= TopicCursor.MaxLength, "length");
        Oracle.Equal(text, cursor.ToString(), "text form");
        var again = TopicCursor.Empty;
        var moving = new CursorText();
        var names = new HashSet<string>();
        foreach (var (topic, position) in cursor)
        {
            Oracle.That(names.Add(topic) && TopicName.IsValid(topic), "topic");
            Oracle.That(cursor.TryGetPosition(topic, out var found) && found == position, "position");
            moving.Set(topic, position);
            try
            {
                again = again.With(topic, position);
            }
            catch (TopicLimitException)
            {
                return;   // such a cursor may become too long
            }
        }

        Oracle.Equal(Rebuilt(cursor), new TopicCursor([.. cursor]).ToString(), "written anew");
        Oracle.Equal(text, again.ToString(), "put together");
        Oracle.Equal(text, Encoding.ASCII.GetString(moving.Text), "moved");
    }

    private static string Rebuilt(TopicCursor cursor) =>
        "1" + string.Concat(cursor.Select(static pair => Encoding.ASCII.GetString(TopicCursor.Encode(pair.Key, pair.Value))[1..]));

    private static void CheckWrite(FuzzInput settings)
    {
        var cursor = TopicCursor.Empty;
        var moving = new CursorText();
        var expected = new List<KeyValuePair<string, TopicPosition>>();
        for (var i = 0; i < 40 && !settings.Rest.IsEmpty; i++)
        {
            var operation = settings.Byte();
            var name = Encoding.Latin1.GetString(settings.Take(operation % 8));
            var position = new TopicPosition(Number(settings.Take(operation / 8 % 9)), Number(settings.Take(operation / 16 % 9)));
            if (!TopicName.IsValid(name))
                continue;
            var index = expected.FindIndex(pair => pair.Key == name);
            if (operation >= 224)
            {
                cursor = cursor.Without(name);
                moving.Remove(name);
                if (index >= 0)
                    expected.RemoveAt(index);
                continue;
            }

            cursor = cursor.With(name, position);
            moving.Set(name, position);
            if (index >= 0)
                expected[index] = new(name, position);
            else
                expected.Add(new(name, position));
        }

        var text = cursor.ToString();
        Oracle.That(cursor.SequenceEqual(expected), "topics");
        Oracle.Equal(text, Encoding.ASCII.GetString(moving.Text), "a cursor that moves");
        Oracle.That(TopicCursor.TryParse(text, out var read) && read.SequenceEqual(expected), $"read back: {text}");
    }

    private static void CheckPosition(string text)
    {
        var isPosition = TopicPosition.TryParse(text, out var position);
        var parts = text.Split('-');
        var isExpected = parts.Length == 2 && parts.All(static part => part.Length > 0 && part.All(char.IsAsciiDigit))
            && parts.All(static part => System.Numerics.BigInteger.Parse(part, System.Globalization.CultureInfo.InvariantCulture) <= ulong.MaxValue);
        Oracle.Equal(isExpected, isPosition, "position");
        if (!isPosition)
            return;
        Span<byte> utf8 = stackalloc byte[TopicPosition.MaxLength];
        Oracle.That(position.TryFormat(utf8, out var written), "a position's longest form");
        Oracle.Equal(position.ToString(), Encoding.ASCII.GetString(utf8[..written]), "a position's two forms");
        Oracle.That(TopicPosition.TryParse(position.ToString(), out var again) && again == position, "a position read back");
        for (var length = 0; length < written; length++)
            Oracle.That(!position.TryFormat(utf8[..length], out _), "a position written into too little room");
    }

    private static ulong Number(ReadOnlySpan<byte> bytes)
    {
        var number = 0UL;
        foreach (var value in bytes)
            number = number << 8 | value;
        return number;
    }
}
