namespace RealtimeKit.ServerSentEvents;

/// <summary>How a <see cref="ServerSentEventWriter"/> behaves. Immutable: one instance may serve any number of writers.</summary>
public sealed class ServerSentEventWriterOptions
{
    internal static ServerSentEventWriterOptions Default { get; } = new();

    /// <summary>
    /// Whether each event leaves as soon as it is written. Default: true. When false, events leave with
    /// <see cref="ServerSentEventWriter.FlushAsync"/>, or when <see cref="MaxUnflushedBytes"/> are waiting.
    /// </summary>
    public bool AutoFlush { get; init; } = true;

    /// <summary>How many bytes may wait for a flush where <see cref="AutoFlush"/> is false. Default: 64 KiB; at least 1.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1.</exception>
    public int MaxUnflushedBytes
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            field = value;
        }
    } = 64 * 1024;

    /// <summary>
    /// The type of the event that a heartbeat is, with empty data; null, the default, for a comment. Comments never reach the code of a
    /// browser's page; a named event does, so that the page can tell a silent server from a dead connection.
    /// </summary>
    /// <exception cref="ArgumentException">The type contains CR, LF or NUL, or is empty.</exception>
    public string? HeartbeatEventType
    {
        get;
        init
        {
            if (value is not null)
            {
                ArgumentException.ThrowIfNullOrEmpty(value);
                ServerSentEventFormatter.Validate(value, null, null);
                Heartbeat = PreparedServerSentEvent.Create(default(ReadOnlySpan<byte>), value).Utf8;
            }

            field = value;
        }
    }

    internal ReadOnlyMemory<byte> Heartbeat { get; private init; } = ":\n\n"u8.ToArray();
}
