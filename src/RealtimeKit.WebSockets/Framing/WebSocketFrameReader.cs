using System.Buffers;

namespace RealtimeKit.WebSockets;

/// <summary>
/// Reads frames from input that may be split anywhere, and applies every rule of RFC 6455 §5.1–5.5, §7.4 and §8.1. It allocates
/// nothing, never throws because of what a peer has sent, and never writes into its input.
/// </summary>
/// <remarks>
/// <para>
/// The payload of a data frame is handed out as it arrives, so that a message of any size streams in bounded memory. A control frame
/// is handed out whole. Text is validated before it is handed out, to the first byte that makes it invalid.
/// </para>
/// <para>
/// What follows a close frame means nothing (RFC 6455 §5.5.1): stop reading there. After <see cref="OperationStatus.InvalidData"/> the
/// reader stays where it is.
/// </para>
/// <example>
/// Reading from a <c>PipeReader</c>:
/// <code>
/// var result = await pipe.ReadAsync(cancellationToken);
/// var reader = new WebSocketFrameReader(result.Buffer, state);
/// while (reader.Read() == OperationStatus.Done)
///     Use(reader.Header, reader.Payload);
/// state = reader.CurrentState;
/// pipe.AdvanceTo(reader.Position, result.Buffer.End);
/// </code>
/// </example>
/// </remarks>
public ref struct WebSocketFrameReader
{
    // Text is unmasked here, piece by piece, to be validated: the input is not ours to write into.
    private const int UnmaskBufferLength = 1024;

    private WebSocketFrameReaderState _state;
    private ReadOnlySequence<byte> _rest;

    /// <summary>Goes on reading.</summary>
    /// <param name="input">Everything from the <see cref="Position"/> of the reader before, and what has arrived since.</param>
    /// <param name="state">The <see cref="CurrentState"/> of the reader before, or a new one for a new connection.</param>
    public WebSocketFrameReader(in ReadOnlySequence<byte> input, in WebSocketFrameReaderState state)
    {
        _rest = input;
        _state = state;
    }

    /// <summary>Gets the header of the frame of which <see cref="Payload"/> is a part.</summary>
    public readonly WebSocketFrameHeader Header => _state.Header;

    /// <summary>Gets the payload, or the next part of it, as received: masked if the header says so. It is a slice of the input.</summary>
    public ReadOnlySequence<byte> Payload { get; private set; }

    /// <summary>Gets which of the four bytes of the key belongs to the first byte of <see cref="Payload"/>: 0 to 3 (RFC 6455 §5.3).</summary>
    public int MaskPhase { get; private set; }

    /// <summary>Gets whether <see cref="Payload"/> begins the frame.</summary>
    public bool IsStartOfFrame { get; private set; }

    /// <summary>Gets whether <see cref="Payload"/> ends the frame.</summary>
    public bool IsEndOfFrame { get; private set; }

    /// <summary>Gets whether <see cref="Payload"/> ends a text or binary message. It is false for control frames.</summary>
    public bool IsEndOfMessage { get; private set; }

    /// <summary>Gets the rule broken, with <see cref="OperationStatus.InvalidData"/>.</summary>
    public readonly WebSocketProtocolError Error => _state.Error;

    /// <summary>Gets how far the input has been read: what lies before is done with, once <see cref="Payload"/> is.</summary>
    public readonly SequencePosition Position => _rest.Start;

    /// <summary>Gets what the reader of the next input needs.</summary>
    public readonly WebSocketFrameReaderState CurrentState => _state;

    /// <summary>Reads the next frame, or the next part of one.</summary>
    /// <returns>
    /// <see cref="OperationStatus.Done"/>: <see cref="Header"/> and <see cref="Payload"/> are set.
    /// <see cref="OperationStatus.NeedMoreData"/>: the input from <see cref="Position"/> on holds neither a header nor payload, or not
    /// the whole of a control frame. <see cref="OperationStatus.InvalidData"/>: the peer has broken the rule in <see cref="Error"/>.
    /// </returns>
    public OperationStatus Read()
    {
        Payload = default;
        IsStartOfFrame = IsEndOfFrame = IsEndOfMessage = false;
        if (_state.Error != WebSocketProtocolError.None)
            return OperationStatus.InvalidData;

        if (!_state.IsInFrame)
        {
            var status = ReadHeader();
            if (status != OperationStatus.Done)
                return status;
        }

        return _state.Header.IsControl ? ReadControl() : ReadData();
    }

    /// <summary>Copies <see cref="Payload"/> and unmasks the copy.</summary>
    /// <param name="destination">Receives the whole of <see cref="Payload"/>.</param>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is shorter than <see cref="Payload"/>.</exception>
    public readonly void CopyPayloadTo(Span<byte> destination)
    {
        if (destination.Length < Payload.Length)
            throw new ArgumentException("The destination is shorter than the payload.", nameof(destination));

        // A key of 0 where there is no mask makes this a plain copy.
        var key = WebSocketMask.Rotate(_state.Header.MaskingKey, MaskPhase);
        if (Payload.IsSingleSegment)
        {
            WebSocketMask.Apply(Payload.FirstSpan, destination, key);
            return;
        }

        foreach (var segment in Payload)
        {
            key = WebSocketMask.Apply(segment.Span, destination, key);
            destination = destination[segment.Length..];
        }
    }

    private OperationStatus ReadHeader()
    {
        var status = WebSocketFrameHeader.TryRead(_rest, out var header, out var consumed, out var error);
        if (status != OperationStatus.Done)
            return status == OperationStatus.InvalidData ? Fail(error) : status;

        error = header.Check(new WebSocketFrameRules
        {
            Role = _state.Options.Role,
            AllowsRsv1 = _state.Options.AllowsRsv1,
            IsMessageInProgress = _state.IsMessageInProgress,
            MaximumPayloadLength = _state.Options.MaximumMessageLength - _state.MessageLength,
        });
        if (error == WebSocketProtocolError.None && !header.IsControl && _state.Fragments == _state.Options.MaximumFragments)
            error = WebSocketProtocolError.TooManyFragments;
        _state.Header = header;
        if (error != WebSocketProtocolError.None)
            return Fail(error);

        _rest = _rest.Slice(consumed);
        _state.IsInFrame = true;
        _state.Unread = header.PayloadLength;
        if (!header.IsControl)
        {
            if (header.Opcode != WebSocketOpcode.Continuation)
            {
                // RFC 7692 §6: what a compressed message holds is only text once it is inflated.
                _state.IsText = header.Opcode == WebSocketOpcode.Text && !header.Rsv1;
                _state.Text.Reset();
            }

            _state.Fragments++;
            _state.MessageLength += header.PayloadLength;
        }

        return OperationStatus.Done;
    }

    private OperationStatus ReadControl()
    {
        if (_rest.Length < _state.Unread)
            return OperationStatus.NeedMoreData;

        TakePayload(_state.Unread);
        if (_state.Header.Opcode != WebSocketOpcode.Close)
            return OperationStatus.Done;

        Span<byte> payload = stackalloc byte[WebSocketClosePayload.MaxLength];
        CopyPayloadTo(payload);
        var error = WebSocketClosePayload.Read(payload[..(int)Payload.Length], out _);
        return error == WebSocketProtocolError.None ? OperationStatus.Done : Fail(error);
    }

    private OperationStatus ReadData()
    {
        var available = Math.Min(_rest.Length, _state.Unread);
        if (available == 0 && _state.Unread != 0)
            return OperationStatus.NeedMoreData;

        TakePayload(available);
        IsEndOfMessage = IsEndOfFrame && _state.Header.IsFinal;
        if (_state.IsText && !(AppendText() && (!IsEndOfMessage || _state.Text.IsComplete)))
            return Fail(WebSocketProtocolError.InvalidUtf8);

        if (IsEndOfMessage)
        {
            _state.Fragments = 0;
            _state.MessageLength = 0;
        }

        return OperationStatus.Done;
    }

    private void TakePayload(long length)
    {
        Payload = _rest.Slice(0, length);
        _rest = _rest.Slice(Payload.End);
        var offset = _state.Header.PayloadLength - _state.Unread;
        MaskPhase = (int)(offset & 3);
        IsStartOfFrame = offset == 0;
        _state.Unread -= length;
        IsEndOfFrame = _state.Unread == 0;
        _state.IsInFrame = !IsEndOfFrame;
    }

    private bool AppendText()
    {
        var isMasked = _state.Header.IsMasked;
        var key = WebSocketMask.Rotate(_state.Header.MaskingKey, MaskPhase);
        Span<byte> unmasked = stackalloc byte[UnmaskBufferLength];
        foreach (var segment in Payload)
        {
            var bytes = segment.Span;
            while (isMasked && !bytes.IsEmpty)
            {
                var length = Math.Min(bytes.Length, unmasked.Length);
                key = WebSocketMask.Apply(bytes[..length], unmasked, key);
                if (!_state.Text.Append(unmasked[..length]))
                    return false;
                bytes = bytes[length..];
            }

            if (!_state.Text.Append(bytes))
                return false;
        }

        return true;
    }

    private OperationStatus Fail(WebSocketProtocolError error)
    {
        _state.Error = error;
        Payload = default;
        IsStartOfFrame = IsEndOfFrame = IsEndOfMessage = false;
        return OperationStatus.InvalidData;
    }
}
