using System.Buffers;
using System.Text;

namespace RealtimeKit.ServerSentEvents.Tests;

/// <summary>Drives the assembler and the token reader over a stream that is cut into given blocks and segments.</summary>
internal static class ParserHarness
{
    public static readonly ServerSentEventParserOptions Everything = new()
    {
        IncludeComments = true,
        IncludeRetries = true,
        MaxIdLength = 1 << 20,
        MaxEventTypeLength = 1 << 20,
    };

    public static readonly ServerSentEventParserOptions EventsOnly = new() { MaxIdLength = 1 << 20, MaxEventTypeLength = 1 << 20 };

    public static (List<ParsedItem> Items, string LastEventId) Assemble(
        IEnumerable<ReadOnlyMemory<byte>> blocks, ServerSentEventParserOptions? options = null)
    {
        using var assembler = new ServerSentEventAssembler(options ?? Everything);
        var items = new List<ParsedItem>();
        foreach (var block in blocks)
        {
            // A copy that is wiped afterwards: nothing may refer to input that the caller took back.
            var copy = block.ToArray();
            ReadOnlySpan<byte> input = copy;
            while (assembler.TryRead(ref input, out var item))
                items.Add(ToItem(item));
            if (!input.IsEmpty)
                throw new InvalidOperationException("The assembler left input.");
            copy.AsSpan().Fill((byte)'?');
        }

        assembler.Limit.Should().Be(ServerSentEventLimit.None);
        return (items, Encoding.UTF8.GetString(assembler.LastEventId));
    }

    public static (List<ParsedItem> Items, string LastEventId) Assemble(ReadOnlySequence<byte> input, ServerSentEventParserOptions? options = null)
    {
        using var assembler = new ServerSentEventAssembler(options ?? Everything);
        var items = new List<ParsedItem>();
        while (assembler.TryRead(ref input, out var item))
            items.Add(ToItem(item));
        input.IsEmpty.Should().BeTrue();
        return (items, Encoding.UTF8.GetString(assembler.LastEventId));
    }

    /// <summary>Feeds the token reader block by block, each time with what it left unread, in segments of the given size.</summary>
    public static List<string> ReadTokens(ReadOnlySpan<byte> stream, int blockSize, int segmentSize)
    {
        var tokens = new List<string>();
        var state = new ServerSentEventReaderState(1 << 24);
        var kept = Array.Empty<byte>();
        for (var start = 0; start < stream.Length; start += blockSize)
        {
            byte[] input = [.. kept, .. stream.Slice(start, Math.Min(blockSize, stream.Length - start))];
            if (segmentSize == 0)
            {
                var reader = new ServerSentEventReader(input, state);
                while (reader.Read() != ServerSentEventToken.NeedMoreData)
                    tokens.Add(ToText(ref reader));
                kept = input[reader.BytesConsumed..];
                state = reader.CurrentState;
            }
            else
            {
                var sequence = Sequences.Cut(input, segmentSize);
                var reader = new ServerSentEventReader(sequence, state);
                while (reader.Read() != ServerSentEventToken.NeedMoreData)
                    tokens.Add(ToText(ref reader));
                kept = sequence.Slice(reader.Position).ToArray();
                state = reader.CurrentState;
            }
        }

        return tokens;
    }

    private static string ToText(ref ServerSentEventReader reader)
    {
        var value = reader.HasValueSequence ? reader.ValueSequence.ToArray() : reader.ValueSpan.ToArray();
        return $"{reader.Token}:{Encoding.Latin1.GetString(value)}";
    }

    private static ParsedItem ToItem(in ServerSentEventView item)
    {
        var data = Encoding.UTF8.GetString(item.Data);
        return item.Kind switch
        {
            ServerSentEventItemKind.Comment => new ParsedItem("comment", data),
            ServerSentEventItemKind.Retry => new ParsedItem("retry", data),
            _ => new ParsedItem(
                "event", data, Encoding.UTF8.GetString(item.EventType), Encoding.UTF8.GetString(item.LastEventId), item.HasId, Milliseconds(item.Retry)),
        };
    }

    private static string? Milliseconds(TimeSpan? retry) =>
        retry is null ? null : (retry == TimeSpan.MaxValue ? long.MaxValue : (long)retry.Value.TotalMilliseconds).ToString(null as IFormatProvider);
}
