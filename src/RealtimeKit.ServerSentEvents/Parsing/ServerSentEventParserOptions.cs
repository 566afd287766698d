namespace RealtimeKit.ServerSentEvents;

/// <summary>
/// Limits on what a peer may make a parser hold, and what the parser reports besides events. Immutable: one instance may serve any number
/// of streams. A stream that breaks a limit ends with a <see cref="ServerSentEventLimitException"/>.
/// </summary>
public sealed class ServerSentEventParserOptions
{
    internal const int DefaultMaxLineLength = 256 * 1024;

    internal static ServerSentEventParserOptions Default { get; } = new();

    /// <summary>The longest line, in bytes without its end. Default: 256 KiB; at least 1.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1.</exception>
    public int MaxLineLength { get; init => field = AtLeastOne(value); } = DefaultMaxLineLength;

    /// <summary>The longest data of one event, in bytes, line feeds between its lines included. Default: 1 MiB; at least 1.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1.</exception>
    public int MaxEventLength { get; init => field = AtLeastOne(value); } = 1024 * 1024;

    /// <summary>The longest event type, in bytes. Default: 1 KiB; at least 1.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1.</exception>
    public int MaxEventTypeLength { get; init => field = AtLeastOne(value); } = 1024;

    /// <summary>
    /// The longest event id, in bytes. Default: 8 KiB, which still fits the request header that it goes back in; at least 1.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1.</exception>
    public int MaxIdLength { get; init => field = AtLeastOne(value); } = 8 * 1024;

    /// <summary>Whether an assembler reports comments as items of their own. Default: false.</summary>
    public bool IncludeComments { get; init; }

    /// <summary>Whether an assembler reports <c>retry</c> fields as items of their own, as they come. Default: false.</summary>
    public bool IncludeRetries { get; init; }

    private static int AtLeastOne(int value)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
        return value;
    }
}
