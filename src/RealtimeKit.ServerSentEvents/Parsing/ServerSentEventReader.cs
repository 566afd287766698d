using System.Buffers;
using System.Runtime.CompilerServices;

namespace RealtimeKit.ServerSentEvents;

/// <summary>
/// Reads the tokens of an event stream (WHATWG HTML §9.2.5 and §9.2.6) from bytes, without strings and without allocation. Lines to be
/// ignored are skipped. When <see cref="Read"/> says <see cref="ServerSentEventToken.NeedMoreData"/>, keep <see cref="CurrentState"/>
/// and the bytes from <see cref="Position"/> on, and make a new reader once more have arrived. A line is read when its CR or LF is there:
/// a CR does not wait for the LF that may follow it. The end of a stream needs no call, since a line without an end is no line.
/// </summary>
public ref struct ServerSentEventReader
{
    private ReadOnlySpan<byte> _rest;
    private ReadOnlySpan<byte> _value;
    private ReadOnlySequence<byte> _tail;
    private ReadOnlySequence<byte> _valueSequence;
    private ServerSentEventReaderState _state;
    private readonly int _inputLength;
    private int _segmentLength;
    private bool _hasMoreSegments;
    private bool _hasValueSequence;

    /// <summary>Creates a reader over one contiguous block.</summary>
    /// <param name="input">The bytes from the last reader's position on.</param>
    /// <param name="state">The last reader's state, or a new one at the beginning of a stream.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ServerSentEventReader(ReadOnlySpan<byte> input, ServerSentEventReaderState state)
    {
        _rest = input;
        _inputLength = input.Length;
        _segmentLength = input.Length;
        _state = state;
    }

    /// <summary>Creates a reader over a sequence.</summary>
    /// <param name="input">The bytes from the last reader's position on.</param>
    /// <param name="state">The last reader's state, or a new one at the beginning of a stream.</param>
    public ServerSentEventReader(in ReadOnlySequence<byte> input, ServerSentEventReaderState state)
    {
        _state = state;
        SetTail(input);
    }

    /// <summary>What the last <see cref="Read"/> found.</summary>
    public ServerSentEventToken Token { get; private set; }

    /// <summary>Whether the value lies in several segments, and so in <see cref="ValueSequence"/>.</summary>
    public readonly bool HasValueSequence => _hasValueSequence;

    /// <summary>The token's value where <see cref="HasValueSequence"/> is false: bytes of the input, malformed UTF-8 included.</summary>
    public readonly ReadOnlySpan<byte> ValueSpan => _value;

    /// <summary>The token's value where <see cref="HasValueSequence"/> is true.</summary>
    public readonly ReadOnlySequence<byte> ValueSequence => _valueSequence;

    /// <summary>How many bytes have been read, where the reader was made over a span.</summary>
    public readonly int BytesConsumed => _inputLength - _rest.Length;

    /// <summary>The end of the last token read, where the reader was made over a sequence.</summary>
    public readonly SequencePosition Position => _tail.GetPosition(_segmentLength - _rest.Length);

    /// <summary>What the next reader needs to know.</summary>
    public readonly ServerSentEventReaderState CurrentState => _state;

    /// <summary>The bytes of the current segment that have not been read.</summary>
    internal readonly ReadOnlySpan<byte> Rest => _rest;

    /// <summary>
    /// The time that a <see cref="ServerSentEventToken.Retry"/> token asks to wait before the next connection. What a
    /// <see cref="TimeSpan"/> cannot hold gives <see cref="TimeSpan.MaxValue"/>.
    /// </summary>
    /// <exception cref="InvalidOperationException">The last token is not a retry field.</exception>
    public readonly TimeSpan GetReconnectionTime()
    {
        if (Token != ServerSentEventToken.Retry)
            throw new InvalidOperationException("The last token read is not a retry field.");
        return ToTimeSpan(_hasValueSequence ? ServerSentEventLine.ParseRetry(_valueSequence.ToArray()) : ServerSentEventLine.ParseRetry(_value));
    }

    /// <summary>Reads the next token.</summary>
    /// <returns>The token, <see cref="ServerSentEventToken.NeedMoreData"/>, or <see cref="ServerSentEventToken.Invalid"/>.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ServerSentEventToken Read()
    {
        if ((_state.AtFirstLine | _state.AfterCarriageReturn | _hasMoreSegments | _hasValueSequence) || _state.Scanned != 0)
            return Token = ReadWithState();

        while (true)
        {
            var end = LineEnd.IndexOf(_rest);
            if ((uint)end >= (uint)_rest.Length)
                return Token = ReadUnfinishedLine();
            if (end > _state.MaxLineLength)
                return Token = ServerSentEventToken.Invalid;

            var line = _rest[..end];
            if (_rest[end] == (byte)'\n')
                _rest = _rest[(end + 1)..];
            else
                SkipCarriageReturn(end);

            if (end == 0)
            {
                _value = default;
                return Token = ServerSentEventToken.Dispatch;
            }

            var token = ServerSentEventLine.Parse(line, out _value);
            if (token != ServerSentEventToken.None)
                return Token = token;
        }
    }

    /// <summary>Reads one line at a time where the stream has just begun, the last line ended with CR, or segments follow.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private ServerSentEventToken ReadWithState()
    {
        if (_hasValueSequence)
        {
            _hasValueSequence = false;
            _valueSequence = default;
        }

        while (true)
        {
            while (_rest.IsEmpty && _hasMoreSegments)
                SetTail(_tail.SliceAfterFirstSegment());

            if (_state.AfterCarriageReturn && !_rest.IsEmpty)
            {
                _state.AfterCarriageReturn = false;
                if (_rest[0] == (byte)'\n')
                {
                    _rest = _rest[1..];
                    continue;
                }
            }

            ServerSentEventToken token;
            var from = Math.Min(_state.Scanned, _rest.Length);
            var end = LineEnd.IndexOf(_rest[from..]);
            if (end >= 0)
            {
                end += from;
                var line = _rest[..end];
                if (IsTooLong(line))
                    return ServerSentEventToken.Invalid;
                _state.Scanned = 0;
                if (_rest[end] == (byte)'\r')
                    SkipCarriageReturn(end);
                else
                    _rest = _rest[(end + 1)..];
                token = ParseLine(line);
            }
            else if (!_hasMoreSegments)
            {
                return ReadUnfinishedLine();
            }
            else
            {
                _state.Scanned = Math.Max(_state.Scanned, _rest.Length);
                token = ReadLineAcrossSegments();
            }

            if (token != ServerSentEventToken.None)
                return token;
        }
    }

    private ServerSentEventToken ParseLine(ReadOnlySpan<byte> line)
    {
        if (_state.AtFirstLine)
        {
            _state.AtFirstLine = false;
            if (ByteOrderMark.Begins(line))
                line = line[ByteOrderMark.Length..];
        }

        if (!line.IsEmpty)
            return ServerSentEventLine.Parse(line, out _value);
        _value = default;
        return ServerSentEventToken.Dispatch;
    }

    private ServerSentEventToken ReadUnfinishedLine()
    {
        if (IsTooLong(_rest))
            return ServerSentEventToken.Invalid;
        _state.Scanned = _rest.Length;
        _value = default;
        return ServerSentEventToken.NeedMoreData;
    }

    private ServerSentEventToken ReadLineAcrossSegments()
    {
        var unread = _tail.Slice(_segmentLength - _rest.Length);
        long length = 0;
        foreach (var segment in unread)
        {
            var span = segment.Span;
            var from = (int)Math.Clamp(_state.Scanned - length, 0, span.Length);
            var end = LineEnd.IndexOf(span[from..]);
            length += end < 0 ? span.Length : from + end;
            if (length > _state.MaxLineLength && !(IsWithinLimitAfterMark(length) && ByteOrderMark.MayBegin(unread.Slice(0, length))))
                return ServerSentEventToken.Invalid;
            if (end >= 0)
                return ParseLine(unread, length, span[from + end] == (byte)'\r');
        }

        _state.Scanned = (int)length;
        _value = default;
        return ServerSentEventToken.NeedMoreData;
    }

    private ServerSentEventToken ParseLine(in ReadOnlySequence<byte> unread, long length, bool endsWithCarriageReturn)
    {
        _state.Scanned = 0;
        _state.AfterCarriageReturn = endsWithCarriageReturn;
        var line = unread.Slice(0, length);
        SetTail(unread.Slice(length + 1));

        if (_state.AtFirstLine)
        {
            _state.AtFirstLine = false;
            if (ByteOrderMark.Begins(line))
                line = line.Slice(ByteOrderMark.Length);
        }

        _value = default;
        if (line.IsEmpty)
            return ServerSentEventToken.Dispatch;
        var token = ServerSentEventLine.Parse(line, out _valueSequence);
        _hasValueSequence = token != ServerSentEventToken.None;
        return token;
    }

    private readonly bool IsTooLong(ReadOnlySpan<byte> line) =>
        line.Length > _state.MaxLineLength && !(IsWithinLimitAfterMark(line.Length) && ByteOrderMark.MayBegin(line));

    private readonly bool IsWithinLimitAfterMark(long length) => _state.AtFirstLine && length - ByteOrderMark.Length <= _state.MaxLineLength;

    private void SkipCarriageReturn(int end)
    {
        _rest = _rest[(end + 1)..];
        if (_rest.IsEmpty)
            _state.AfterCarriageReturn = true;
        else if (_rest[0] == (byte)'\n')
            _rest = _rest[1..];
    }

    private void SetTail(in ReadOnlySequence<byte> tail)
    {
        _tail = tail;
        _rest = tail.FirstSpan;
        _segmentLength = _rest.Length;
        _hasMoreSegments = !tail.IsSingleSegment;
    }

    internal static TimeSpan ToTimeSpan(long milliseconds) =>
        milliseconds > (long)TimeSpan.MaxValue.TotalMilliseconds ? TimeSpan.MaxValue : TimeSpan.FromMilliseconds(milliseconds, 0);
}
