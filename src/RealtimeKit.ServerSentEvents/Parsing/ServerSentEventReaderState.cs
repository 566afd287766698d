namespace RealtimeKit.ServerSentEvents;

/// <summary>
/// What a <see cref="ServerSentEventReader"/> carries from one block of input to the next. A small value that may cross an await,
/// which the reader, a ref struct, may not.
/// </summary>
public struct ServerSentEventReaderState
{
    /// <summary>Creates the state for the beginning of a stream.</summary>
    /// <param name="maxLineLength">The longest line that is accepted, in bytes without its end. Default: 256 KiB.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxLineLength"/> is less than 1.</exception>
    public ServerSentEventReaderState(int maxLineLength = ServerSentEventParserOptions.DefaultMaxLineLength)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxLineLength, 1);
        MaxLineLength = maxLineLength;
        AtFirstLine = true;
    }

    internal int MaxLineLength;

    /// <summary>Bytes after the reader's position that are known to hold no line end, so that a long line is scanned once.</summary>
    internal int Scanned;

    /// <summary>The first line may begin with a byte order mark, which is no part of it.</summary>
    internal bool AtFirstLine;

    /// <summary>The last line ended with CR at the end of the input: an LF that comes next belongs to it.</summary>
    internal bool AfterCarriageReturn;
}
