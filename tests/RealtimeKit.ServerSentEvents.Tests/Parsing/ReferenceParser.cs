using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.RegularExpressions;

namespace RealtimeKit.ServerSentEvents.Tests;

/// <summary>An item as the standard's text gives it; every parser under test is compared by this.</summary>
public sealed record ParsedItem(string Kind, string Data, string? EventType = null, string? LastEventId = null, bool HasId = false, string? Retry = null);

/// <summary>
/// WHATWG HTML §9.2.6 put down word by word over a decoded string, slow and simple: the oracle for the parsers that must be fast.
/// </summary>
public static partial class ReferenceParser
{
    public static (List<ParsedItem> Items, string LastEventId) Parse(ReadOnlySpan<byte> stream, bool comments = true, bool retries = true)
    {
        // "Streams must be decoded using the UTF-8 decode algorithm", which strips one byte order mark.
        var text = Encoding.UTF8.GetString(stream);
        if (text.StartsWith('\uFEFF'))
            text = text[1..];

        var items = new List<ParsedItem>();
        string data = "", eventType = "", idBuffer = "", lastEventId = "";
        string? retry = null;
        var hasId = false;
        var lines = LineEnds().Split(text);
        foreach (var line in lines[..^1])
        {
            if (line.Length == 0)
            {
                lastEventId = idBuffer;
                if (data.Length != 0)
                    items.Add(new ParsedItem("event", data[..^1], eventType.Length == 0 ? "message" : eventType, lastEventId, hasId, retry));
                (data, eventType, hasId, retry) = ("", "", false, null);
                continue;
            }

            var colon = line.IndexOf(':');
            var field = colon < 0 ? line : line[..colon];
            var value = colon < 0 ? "" : line[(colon + 1)..];
            if (value.StartsWith(' '))
                value = value[1..];
            switch (field)
            {
                case "" when colon == 0:
                    if (comments)
                        items.Add(new ParsedItem("comment", value));
                    break;
                case "event":
                    eventType = value;
                    break;
                case "data":
                    data += value + "\n";
                    break;
                case "id" when !value.Contains('\0'):
                    (idBuffer, hasId) = (value, true);
                    break;
                case "retry" when value.Length != 0 && value.All(char.IsAsciiDigit):
                    retry = BigInteger.Min(BigInteger.Parse(value, CultureInfo.InvariantCulture), long.MaxValue).ToString(CultureInfo.InvariantCulture);
                    if (retries)
                        items.Add(new ParsedItem("retry", value));
                    break;
            }
        }

        return (items, lastEventId);
    }

    [GeneratedRegex("\r\n|\n|\r", RegexOptions.CultureInvariant)]
    private static partial Regex LineEnds();
}
