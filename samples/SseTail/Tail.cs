using System.Globalization;
using System.Text;
using RealtimeKit.ServerSentEvents;

namespace RealtimeKit.Samples.SseTail;

/// <summary>Follows a stream, and prints what comes of it as soon as it is complete.</summary>
internal static class Tail
{
    private const int Limit = 16 * 1024 * 1024;

    public static async Task StandardInputAsync(Arguments arguments, JsonLines output)
    {
        using var input = Console.OpenStandardInput();
        using var assembler = new ServerSentEventAssembler(Options(arguments.All));
        var buffer = new byte[arguments.Chunk];
        for (int read; (read = await input.ReadAsync(buffer)) != 0;)
        {
            Print(assembler, buffer.AsSpan(0, read), output);
            assembler.ThrowIfLimitExceeded();
        }
    }

    public static async Task UrlAsync(Arguments arguments, JsonLines output)
    {
        await using var client = new ServerSentEventClient(new Uri(arguments.Source), new ServerSentEventClientOptions
        {
            Parser = Options(arguments.All),
            OnComment = arguments.All ? output.WriteComment : null,
            OnRetry = arguments.All
                ? retry => output.WriteRetry(Encoding.ASCII.GetBytes(Math.Truncate(retry.TotalMilliseconds).ToString("F0", CultureInfo.InvariantCulture)))
                : null,
        });
        await foreach (var item in client.ReadAllAsync())
            output.WriteEvent(item.EventType, item.Data, client.LastEventId);
    }

    private static void Print(ServerSentEventAssembler assembler, ReadOnlySpan<byte> input, JsonLines output)
    {
        while (assembler.TryRead(ref input, out var item))
        {
            switch (item.Kind)
            {
                case ServerSentEventItemKind.Comment:
                    output.WriteComment(Encoding.UTF8.GetString(item.Data));
                    break;
                case ServerSentEventItemKind.Retry:
                    output.WriteRetry(item.Data);
                    break;
                default:
                    output.WriteEvent(Encoding.UTF8.GetString(item.EventType), Encoding.UTF8.GetString(item.Data), Encoding.UTF8.GetString(item.LastEventId));
                    break;
            }
        }
    }

    private static ServerSentEventParserOptions Options(bool all) => new()
    {
        MaxLineLength = Limit,
        MaxEventLength = Limit,
        MaxEventTypeLength = Limit,
        MaxIdLength = Limit,
        IncludeComments = all,
        IncludeRetries = all,
    };
}
