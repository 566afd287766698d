using System.Buffers;
using System.Text.Json;

namespace RealtimeKit;

/// <summary>
/// Lends the thread's <see cref="Utf8JsonWriter"/>, which is too dear to make for each message. One that writes as the serialiser's options
/// ask (encoder, indentation): a thread that goes back and forth between options that differ in these makes a writer at each change.
/// </summary>
internal readonly ref struct PooledJsonWriter
{
    // What a Utf8JsonWriter makes of no maximum.
    private const int DefaultMaxDepth = 1000;

    [ThreadStatic]
    private static Utf8JsonWriter? _cached;

    private PooledJsonWriter(Utf8JsonWriter json) => Json = json;

    public Utf8JsonWriter Json { get; }

    public static PooledJsonWriter Rent(IBufferWriter<byte> output, JsonSerializerOptions options)
    {
        // A converter may itself send messages: it then finds no cached writer.
        var json = _cached;
        _cached = null;
        if (json is not null && IsFor(json.Options, options))
            json.Reset(output);
        else
            json = new Utf8JsonWriter(output, Of(options));
        return new PooledJsonWriter(json);
    }

    public void Dispose()
    {
        Json.Flush();
        Json.Reset(EmptyOutput.Instance);
        _cached = Json;
    }

    private static JsonWriterOptions Of(JsonSerializerOptions options) => new()
    {
        Encoder = options.Encoder,
        Indented = options.WriteIndented,
        IndentCharacter = options.IndentCharacter,
        IndentSize = options.IndentSize,
        MaxDepth = MaxDepth(options),
        NewLine = options.NewLine,
        SkipValidation = true,
    };

    private static bool IsFor(in JsonWriterOptions writer, JsonSerializerOptions options) =>
        ReferenceEquals(writer.Encoder, options.Encoder)
        && writer.MaxDepth == MaxDepth(options)
        && writer.Indented == options.WriteIndented
        && (!writer.Indented
            || (writer.IndentCharacter == options.IndentCharacter && writer.IndentSize == options.IndentSize && writer.NewLine == options.NewLine));

    private static int MaxDepth(JsonSerializerOptions options) => options.MaxDepth == 0 ? DefaultMaxDepth : options.MaxDepth;

    // A cached writer must not keep the last message's buffer alive.
    private sealed class EmptyOutput : IBufferWriter<byte>
    {
        public static readonly EmptyOutput Instance = new();

        public void Advance(int count) => ArgumentOutOfRangeException.ThrowIfNotEqual(count, 0);

        public Memory<byte> GetMemory(int sizeHint = 0) => throw new InvalidOperationException();

        public Span<byte> GetSpan(int sizeHint = 0) => throw new InvalidOperationException();
    }
}
