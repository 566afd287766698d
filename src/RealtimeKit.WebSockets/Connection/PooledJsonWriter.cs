using System.Buffers;
using System.Text.Json;

namespace RealtimeKit.WebSockets;

/// <summary>Lends the thread's <see cref="Utf8JsonWriter"/>, which is too dear to make for each message.</summary>
internal readonly ref struct PooledJsonWriter
{
    [ThreadStatic]
    private static Utf8JsonWriter? _cached;

    private PooledJsonWriter(Utf8JsonWriter json) => Json = json;

    public Utf8JsonWriter Json { get; }

    public static PooledJsonWriter Rent(IBufferWriter<byte> output)
    {
        var json = _cached;
        _cached = null;
        if (json is null)
            json = new Utf8JsonWriter(output, new JsonWriterOptions { SkipValidation = true });
        else
            json.Reset(output);
        return new PooledJsonWriter(json);
    }

    public void Dispose()
    {
        Json.Flush();
        Json.Reset(EmptyOutput.Instance);
        _cached = Json;
    }

    // A cached writer must not keep the last message's buffer alive.
    private sealed class EmptyOutput : IBufferWriter<byte>
    {
        public static readonly EmptyOutput Instance = new();

        public void Advance(int count) => ArgumentOutOfRangeException.ThrowIfNotEqual(count, 0);

        public Memory<byte> GetMemory(int sizeHint = 0) => throw new InvalidOperationException();

        public Span<byte> GetSpan(int sizeHint = 0) => throw new InvalidOperationException();
    }
}
