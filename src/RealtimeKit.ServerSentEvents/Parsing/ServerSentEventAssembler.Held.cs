namespace RealtimeKit.ServerSentEvents;

// What outlives the input that brought it: an unfinished line, and the fields of an unfinished event.
public sealed partial class ServerSentEventAssembler
{
    /// <summary>Completes a line that the last input left unfinished.</summary>
    private bool TryPrepare(scoped ref ReadOnlySpan<byte> input, out bool lineIsComplete)
    {
        lineIsComplete = false;
        if (Limit != ServerSentEventLimit.None)
        {
            input = default;
            return false;
        }

        if (_lineIsComplete)
        {
            _lineIsComplete = false;
            _line.Clear();
        }

        _attention = false;
        if (_line.Length == 0)
            return true;

        _attention = true;
        var room = (long)_options.MaxLineLength - _line.Length;
        if (_state.AtFirstLine && ByteOrderMark.MayBegin(_line.Span, input))
            room += ByteOrderMark.Length;
        var taken = _line.AppendUntilLineEnd(input.Length > room ? input[..(int)(room + 1)] : input);
        if (taken > room)
            return Fail(ServerSentEventLimit.MaxLineLength, ref input, out _);

        // The reader need not look for what has been found.
        _state.Scanned = _line.Length;
        lineIsComplete = _lineIsComplete = taken < input.Length;
        if (lineIsComplete)
        {
            _line.Append(input.Slice(taken, 1));
            taken++;
        }

        input = input[taken..];
        return lineIsComplete;
    }

    /// <summary>Copies the fields of the unfinished event that stand in the input, which the caller is about to take back.</summary>
    private void Hold(Fields fields, ReadOnlySpan<byte> data, ReadOnlySpan<byte> eventType, ReadOnlySpan<byte> id)
    {
        if ((fields & (Fields.Data | Fields.DataHeld)) == Fields.Data)
        {
            fields |= Fields.DataHeld;
            _data.Set(data);
        }

        if ((fields & (Fields.EventType | Fields.EventTypeHeld)) == Fields.EventType)
        {
            fields |= Fields.EventTypeHeld;
            _eventType.Set(eventType);
        }

        if ((fields & (Fields.Id | Fields.IdHeld)) == Fields.Id)
        {
            fields |= Fields.IdHeld;
            _id.Set(id);
        }

        _fields = fields;
    }

    private void HoldLine(ReadOnlySpan<byte> start)
    {
        _lineIsComplete = false;
        _line.Clear();
        _attention = start.Length != 0;
        if (_attention)
            _line.Append(start);
    }
}
