using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace RealtimeKit.ServerSentEvents;

/// <summary>
/// Makes events of the bytes of a stream (WHATWG HTML §9.2.6), in blocks of any size and cut anywhere. It takes in everything it is
/// given and keeps what an unfinished line or event needs, so every byte is looked at once and no input has to be kept by the caller.
/// An event whose bytes lie together is shown in place; data of several lines, or cut between blocks, is joined in a pooled buffer.
/// Nothing that a peer sends throws here: see <see cref="Limit"/>. Not thread-safe. Dispose it to return its buffers.
/// </summary>
public sealed partial class ServerSentEventAssembler : IDisposable
{
    [Flags]
    private enum Fields
    {
        None = 0,
        Data = 1,
        EventType = 2,
        Id = 4,

        /// <summary>The data stands in its buffer, not in the input.</summary>
        DataHeld = 8,
        EventTypeHeld = 16,
        IdHeld = 32,
        Retry = 64,
    }

    private readonly ServerSentEventParserOptions _options;
    private ServerSentEventReaderState _state;

    // The fields of the unfinished event that earlier input brought.
    private Fields _fields;
    private long _blockRetry = -1;
    private long _retry = -1;

    // Set where the next call has more to do than to read on: a line to complete, a broken limit.
    private bool _attention;

    // The last item's data stands in its buffer, to be taken back with the next call.
    private bool _isDataLent;

    // Whether the next byte begins an event, and nothing of the one before is left to do.
    private bool _isBetweenEvents;
    private bool _lineIsComplete;

    // A line that the input cut.
    private PooledBuffer _line;
    private PooledBuffer _data;
    private PooledBuffer _eventType;
    private PooledBuffer _id;
    private PooledBuffer _lastEventId;

    /// <summary>Creates an assembler for one stream.</summary>
    /// <param name="options">Limits and what to report; null for the defaults.</param>
    public ServerSentEventAssembler(ServerSentEventParserOptions? options = null)
    {
        _options = options ?? ServerSentEventParserOptions.Default;
        _state = new ServerSentEventReaderState(_options.MaxLineLength);
    }

    /// <summary>
    /// The last event id in force: that of the last dispatched block, events without data included. What a reconnecting client sends as
    /// <c>Last-Event-ID</c>. Empty for none. Valid until the next call.
    /// </summary>
    public ReadOnlySpan<byte> LastEventId => _lastEventId.Span;

    /// <summary>The last <c>retry</c> field of the stream; null for none.</summary>
    public TimeSpan? ReconnectionTime => _retry < 0 ? null : ServerSentEventReader.ToTimeSpan(_retry);

    /// <summary>The limit that the stream broke; no event is given any more once it is set.</summary>
    public ServerSentEventLimit Limit { get; private set; }

    /// <summary>Throws if the stream broke a limit.</summary>
    /// <exception cref="ServerSentEventLimitException"><see cref="Limit"/> is set.</exception>
    public void ThrowIfLimitExceeded()
    {
        if (Limit != ServerSentEventLimit.None)
        {
            throw new ServerSentEventLimitException(Limit, Limit switch
            {
                ServerSentEventLimit.MaxLineLength => _options.MaxLineLength,
                ServerSentEventLimit.MaxEventLength => _options.MaxEventLength,
                ServerSentEventLimit.MaxEventTypeLength => _options.MaxEventTypeLength,
                _ => _options.MaxIdLength,
            });
        }
    }

    /// <summary>Begins a new stream, as a reconnecting client does: the last event id and the reconnection time stay.</summary>
    public void Reset()
    {
        _state = new ServerSentEventReaderState(_options.MaxLineLength);
        _fields = Fields.None;
        _blockRetry = -1;
        _attention = false;
        _isBetweenEvents = false;
        _isDataLent = false;
        _lineIsComplete = false;
        Limit = ServerSentEventLimit.None;
        _line.Clear();
        _data.Clear();
        _eventType.Clear();
        _id.Clear();
    }

    /// <summary>Sets the last event id that is in force before the stream names one.</summary>
    /// <param name="id">The id, in UTF-8.</param>
    public void SetLastEventId(ReadOnlySpan<byte> id) => _lastEventId.Set(id);

    /// <summary>Returns the buffers to the pool. No view may be used afterwards.</summary>
    public void Dispose()
    {
        _line.Release();
        _data.Release();
        _eventType.Release();
        _id.Release();
        _lastEventId.Release();
    }

    /// <summary>Reads up to the next item.</summary>
    /// <param name="input">The bytes to read; afterwards those that follow the item, or none.</param>
    /// <param name="item">The item. Valid until the next call, and while the input is.</param>
    /// <returns>False when all input is taken in and completes no item, or when a limit is broken.</returns>
    public bool TryRead(ref ReadOnlySequence<byte> input, out ServerSentEventView item)
    {
        if (_isDataLent)
            TakeDataBack();
        if (_isBetweenEvents)
        {
            var first = input.FirstSpan;
            var read = ReadWhole(ref MemoryMarshal.GetReference(first), first.Length, out item);
            if (read > 0)
            {
                input = input.Slice(read);
                return true;
            }
        }

        return TryReadSegments(ref input, out item);
    }

    /// <summary>Reads up to the next item.</summary>
    /// <param name="input">The bytes to read; afterwards those that follow the item, or none.</param>
    /// <param name="item">The item. Valid until the next call, and while the input is.</param>
    /// <returns>False when all input is taken in and completes no item, or when a limit is broken.</returns>
    public bool TryRead(scoped ref ReadOnlySpan<byte> input, out ServerSentEventView item)
    {
        if (_isDataLent)
            TakeDataBack();
        if (_isBetweenEvents && TryReadWhole(ref input, out item))
            return true;
        return TryReadAny(ref input, out item);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryReadWhole(scoped ref ReadOnlySpan<byte> input, out ServerSentEventView item)
    {
        var read = ReadWhole(ref MemoryMarshal.GetReference(input), input.Length, out item);
        if (read > 0)
        {
            input = input[read..];
            return true;
        }

        input = input[~read..];
        return false;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryReadSegments(ref ReadOnlySequence<byte> input, out ServerSentEventView item)
    {
        var rest = input.FirstSpan;
        while (true)
        {
            var length = rest.Length;
            if (TryRead(ref rest, out item))
            {
                input = input.Slice(length - rest.Length);
                return true;
            }

            if (input.IsSingleSegment || Limit != ServerSentEventLimit.None)
            {
                input = input.Slice(input.End);
                return false;
            }

            input = input.SliceAfterFirstSegment();
            rest = input.FirstSpan;
        }
    }

    private void TakeDataBack()
    {
        _isDataLent = false;
        _data.Clear();
    }

    private bool IsBetweenEvents() =>
        !(_attention | _state.AtFirstLine | _state.AfterCarriageReturn) && _state.Scanned == 0 && _fields == Fields.None && _blockRetry < 0;

    /// <summary>
    /// Whether an unfinished line stays in the input, to come again with what follows it, instead of being taken in. For a caller that
    /// keeps its input together.
    /// </summary>
    internal bool LeavesUnfinishedLines { get; set; }

    private bool TryReadAny(scoped ref ReadOnlySpan<byte> input, out ServerSentEventView item)
    {
        _isBetweenEvents = false;
        if (_state.AtFirstLine && TryPassByteOrderMark(ref input) && TryReadWhole(ref input, out item))
            return _isBetweenEvents = true;

        var fromHeldLine = false;
        if (_attention && !TryPrepare(ref input, out fromHeldLine))
        {
            item = default;
            return false;
        }

        var fields = _fields;
        ReadOnlySpan<byte> data = default, eventType = default, id = default;
        var reader = new ServerSentEventReader(fromHeldLine ? _line.Span : input, _state);
        while (true)
        {
            var token = reader.Read();
            switch (token)
            {
                case ServerSentEventToken.Data:
                    if ((fields & Fields.Data) == 0)
                    {
                        if (reader.ValueSpan.Length > _options.MaxEventLength)
                            return Fail(ServerSentEventLimit.MaxEventLength, ref input, out item);
                        fields |= Fields.Data;
                        data = reader.ValueSpan;
                        continue;
                    }

                    if ((fields & Fields.DataHeld) == 0)
                    {
                        fields |= Fields.DataHeld;
                        _data.Set(data);
                    }

                    if (reader.ValueSpan.Length >= _options.MaxEventLength - _data.Length)
                        return Fail(ServerSentEventLimit.MaxEventLength, ref input, out item);
                    _data.AppendLine(reader.ValueSpan);
                    continue;

                case ServerSentEventToken.EventType:
                    if (reader.ValueSpan.Length > _options.MaxEventTypeLength)
                        return Fail(ServerSentEventLimit.MaxEventTypeLength, ref input, out item);
                    fields = (fields | Fields.EventType) & ~Fields.EventTypeHeld;
                    eventType = reader.ValueSpan;
                    continue;

                case ServerSentEventToken.Id:
                    if (reader.ValueSpan.Length > _options.MaxIdLength)
                        return Fail(ServerSentEventLimit.MaxIdLength, ref input, out item);
                    fields = (fields | Fields.Id) & ~Fields.IdHeld;
                    id = reader.ValueSpan;
                    continue;

                case ServerSentEventToken.Retry:
                    _retry = _blockRetry = ServerSentEventLine.ParseRetry(reader.ValueSpan);
                    _retryDigitsLength = 0;
                    if (!_options.IncludeRetries)
                        continue;
                    item = new ServerSentEventView(ServerSentEventItemKind.Retry, reader.ValueSpan);
                    Hold(fields, data, eventType, id);
                    break;

                case ServerSentEventToken.Comment:
                    if (!_options.IncludeComments)
                        continue;
                    item = new ServerSentEventView(ServerSentEventItemKind.Comment, reader.ValueSpan);
                    Hold(fields, data, eventType, id);
                    break;

                case ServerSentEventToken.Dispatch:
                    // An id takes effect even where no data makes an event of the block.
                    if ((fields & Fields.Id) != 0)
                        _lastEventId.Set((fields & Fields.IdHeld) != 0 ? _id.Span : id);

                    var retry = _blockRetry;
                    _blockRetry = -1;
                    if ((fields & Fields.Data) == 0)
                    {
                        fields = Fields.None;
                        continue;
                    }

                    if ((fields & Fields.DataHeld) != 0)
                    {
                        data = _data.Span;
                        _isDataLent = true;
                    }

                    if ((fields & Fields.EventTypeHeld) != 0)
                        eventType = _eventType.Span;
                    if (eventType.IsEmpty || (fields & Fields.EventType) == 0)
                        eventType = "message"u8;
                    item = new ServerSentEventView(data, eventType, _lastEventId.Span, (fields & Fields.Id) != 0, retry);
                    _fields = Fields.None;
                    break;

                case ServerSentEventToken.Invalid:
                    return Fail(ServerSentEventLimit.MaxLineLength, ref input, out item);

                default:
                    if (fromHeldLine)
                    {
                        fromHeldLine = false;
                        reader = new ServerSentEventReader(input, reader.CurrentState);
                        continue;
                    }

                    Hold(fields, data, eventType, id);
                    item = default;
                    _state = reader.CurrentState;
                    if (LeavesUnfinishedLines)
                    {
                        input = reader.Rest;
                    }
                    else
                    {
                        HoldLine(reader.Rest);
                        _state.Scanned = 0;
                        input = default;
                    }

                    _isBetweenEvents = IsBetweenEvents();
                    return false;
            }

            _state = reader.CurrentState;
            _isBetweenEvents = IsBetweenEvents();
            if (!fromHeldLine)
                input = reader.Rest;
            return true;
        }
    }

    /// <summary>Begins the first line where all of a byte order mark would be there.</summary>
    private bool TryPassByteOrderMark(scoped ref ReadOnlySpan<byte> input)
    {
        if (_attention || _state.Scanned != 0 || input.Length < ByteOrderMark.Length)
            return false;
        _state.AtFirstLine = false;
        if (ByteOrderMark.Begins(input))
            input = input[ByteOrderMark.Length..];
        return true;
    }

    private bool Fail(ServerSentEventLimit limit, scoped ref ReadOnlySpan<byte> input, out ServerSentEventView item)
    {
        Limit = limit;
        _attention = true;
        input = default;
        item = default;
        return false;
    }
}
