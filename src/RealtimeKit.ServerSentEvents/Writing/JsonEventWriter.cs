using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace RealtimeKit.ServerSentEvents;

/// <summary>
/// Serialises into the memory that the output lends, without advancing it, so that a serialiser that throws leaves nothing behind and a
/// value that fits is never copied. One that does not fit goes through a pooled array.
/// </summary>
internal sealed class JsonEventWriter : IBufferWriter<byte>
{
    private const int FirstRequest = 256;

    [ThreadStatic]
    private static JsonEventWriter? _cached;

    private IBufferWriter<byte>? _output;
    private Memory<byte> _lent;
    private byte[]? _rented;
    private int _written;
    private int _jsonStart;

    private Memory<byte> Current => _rented ?? _lent;

    public static void Write<T>(IBufferWriter<byte> output, T data, JsonTypeInfo<T> json, string? eventType, string? id, TimeSpan? retry)
    {
        ServerSentEventFormatter.Validate(eventType, id, retry);

        // A converter may itself write events: it then finds no cached writer.
        var writer = _cached ?? new JsonEventWriter();
        _cached = null;
        try
        {
            writer.Begin(output, eventType, id, retry);
            using (var target = PooledJsonWriter.Rent(writer, json.Options))
                JsonSerializer.Serialize(target.Json, data, json);
            writer.End(eventType, id, retry);
        }
        finally
        {
            writer.Clear();
            _cached = writer;
        }
    }

    public void Advance(int count) => _written += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        // Two bytes stay free for the line's and the event's end.
        if (Current.Length - _written - 2 < Math.Max(sizeHint, 1))
            Grow(sizeHint);
        return Current[_written..^2];
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    private void Begin(IBufferWriter<byte> output, string? eventType, string? id, TimeSpan? retry)
    {
        _output = output;
        _lent = output.GetMemory(FirstRequest);
        ServerSentEventFormatter.WriteFields(this, eventType, id, retry);
        FieldWriter.Write(this, "data: "u8);
        _jsonStart = _written;
    }

    private void End(string? eventType, string? id, TimeSpan? retry)
    {
        var json = Current.Span[_jsonStart.._written];
        if (LineEnd.IndexOf(json) < 0)
        {
            var span = Current.Span;
            span[_written++] = (byte)'\n';
            span[_written++] = (byte)'\n';
            if (_rented is null)
                _output!.Advance(_written);
            else
                FieldWriter.Write(_output!, span[.._written]);
            return;
        }

        // Indented JSON and raw values may hold line ends: the value becomes several lines of data. The next request for memory may
        // take the lent memory back.
        if (_rented is null)
            Grow(0);
        json = _rented.AsSpan(_jsonStart, _written - _jsonStart);
        ServerSentEventFormatter.WriteFields(_output!, eventType, id, retry);
        ServerSentEventFormatter.WriteData(_output!, json);
        ServerSentEventFormatter.WriteEnd(_output!);
    }

    private void Grow(int sizeHint)
    {
        var larger = BufferPool.Rent(checked(Math.Max(Current.Length * 2, _written + sizeHint + 2)));
        Current.Span[.._written].CopyTo(larger);
        if (_rented is not null)
            BufferPool.Return(_rented);
        _rented = larger;
        _lent = default;
    }

    private void Clear()
    {
        _output = null;
        _lent = default;
        if (_rented is not null)
            BufferPool.Return(_rented);
        _rented = null;
        _written = 0;
    }
}
