using System.Numerics;
using System.Text;
using RealtimeKit.ServerSentEvents;

namespace RealtimeKit.Fuzzing;

/// <summary>An item of an event stream. Text is compared as bytes, one character for each.</summary>
internal sealed record PlainEvent(string Kind, string Data, string Type = "", string LastEventId = "", bool HasId = false, string? Retry = null);

/// <summary>WHATWG HTML §9.2.6 put down word by word, over lines that are all at hand.</summary>
internal sealed class PlainEvents
{
    /// <summary>The most milliseconds that a TimeSpan holds: nobody sees more.</summary>
    public const long MaxRetry = long.MaxValue / TimeSpan.TicksPerMillisecond;

    public List<PlainEvent> Items { get; } = [];

    public ServerSentEventLimit Limit { get; private set; }

    /// <summary>Whether a block without data named a type: the framework keeps it for the next event.</summary>
    public bool HasTypeWithoutData { get; private set; }

    public string LastEventId { get; private set; } = "";

    public static PlainEvents Parse(ReadOnlySpan<byte> stream, ServerSentEventParserOptions options)
    {
        var result = new PlainEvents();
        ReadOnlySpan<byte> mark = [0xEF, 0xBB, 0xBF];
        if (stream.StartsWith(mark))
            stream = stream[mark.Length..];
        else if (mark.StartsWith(stream))
            return result;   // what may become one has no length yet
        var text = Encoding.Latin1.GetString(stream).Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        var lines = text.Split('\n');
        StringBuilder? data = null;
        var (type, id, hasId) = ("", "", false);
        string? retry = null;
        for (var i = 0; i < lines.Length; i++)
        {
            var line = lines[i];
            if (line.Length > options.MaxLineLength)
                return result.Fail(ServerSentEventLimit.MaxLineLength);
            if (i == lines.Length - 1)
                break;   // it has no end
            if (line.Length == 0)
            {
                result.LastEventId = id;
                result.HasTypeWithoutData |= data is null && type.Length > 0;
                if (data is not null)
                    result.Items.Add(new PlainEvent("event", data.ToString(), type.Length == 0 ? "message" : type, id, hasId, retry));
                (data, type, hasId, retry) = (null, "", false, null);
                continue;
            }

            var colon = line.IndexOf(':', StringComparison.Ordinal);
            var field = colon < 0 ? line : line[..colon];
            var value = colon < 0 ? "" : line[(colon + 1)..];
            if (value.StartsWith(' '))
                value = value[1..];
            switch (field)
            {
                case "" when options.IncludeComments:
                    result.Items.Add(new PlainEvent("comment", value));
                    break;
                case "event":
                    if (value.Length > options.MaxEventTypeLength)
                        return result.Fail(ServerSentEventLimit.MaxEventTypeLength);
                    type = value;
                    break;
                case "data":
                    data = data?.Append('\n').Append(value) ?? new StringBuilder(value);
                    if (data.Length > options.MaxEventLength)
                        return result.Fail(ServerSentEventLimit.MaxEventLength);
                    break;
                case "id" when !value.Contains('\0'):
                    if (value.Length > options.MaxIdLength)
                        return result.Fail(ServerSentEventLimit.MaxIdLength);
                    (id, hasId) = (value, true);
                    break;
                case "retry" when value.Length > 0 && value.All(char.IsAsciiDigit):
                    retry = BigInteger.Min(BigInteger.Parse(value), MaxRetry).ToString();
                    if (options.IncludeRetries)
                        result.Items.Add(new PlainEvent("retry", value));
                    break;
            }
        }

        return result;
    }

    private PlainEvents Fail(ServerSentEventLimit limit)
    {
        Limit = limit;
        return this;
    }
}
