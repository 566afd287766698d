using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json.Serialization.Metadata;

namespace RealtimeKit.ServerSentEvents;

/// <summary>What a writer is asked to write, so that one path serves all kinds of it without a delegate or a box.</summary>
internal interface IEventPayload
{
    /// <summary>How many events it is: comments are none.</summary>
    int EventCount { get; }

    /// <summary>Writes all of it, or throws before it has written anything.</summary>
    void Write(PipeWriter output);
}

internal readonly struct TextPayload(string data, string? eventType, string? id, TimeSpan? retry) : IEventPayload
{
    public int EventCount => 1;

    public void Write(PipeWriter output) => ServerSentEventFormatter.WriteEvent(output, data.AsSpan(), eventType, id, retry);
}

internal readonly struct Utf8Payload(ReadOnlyMemory<byte> data, string? eventType, string? id, TimeSpan? retry) : IEventPayload
{
    public int EventCount => 1;

    public void Write(PipeWriter output) => ServerSentEventFormatter.WriteEvent(output, data.Span, eventType, id, retry);
}

internal readonly struct SequencePayload(ReadOnlySequence<byte> data, string? eventType, string? id, TimeSpan? retry) : IEventPayload
{
    public int EventCount => 1;

    public void Write(PipeWriter output) => ServerSentEventFormatter.WriteEvent(output, data, eventType, id, retry);
}

internal readonly struct JsonPayload<T>(T data, JsonTypeInfo<T> json, string? eventType, string? id, TimeSpan? retry) : IEventPayload
{
    public int EventCount => 1;

    public void Write(PipeWriter output) => ServerSentEventFormatter.WriteEvent(output, data, json, eventType, id, retry);
}

internal readonly struct PreparedPayload(PreparedServerSentEvent prepared, string? id) : IEventPayload
{
    public int EventCount => 1;

    public void Write(PipeWriter output) => ServerSentEventFormatter.WriteEvent(output, prepared, id);
}

internal readonly struct CommentPayload(string comment) : IEventPayload
{
    public int EventCount => 0;

    public void Write(PipeWriter output) => ServerSentEventFormatter.WriteComment(output, comment);
}

internal readonly struct RetryPayload(TimeSpan retry) : IEventPayload
{
    public int EventCount => 0;

    public void Write(PipeWriter output) => ServerSentEventFormatter.WriteRetry(output, retry);
}

internal readonly struct IdPayload(string id) : IEventPayload
{
    public int EventCount => 0;

    public void Write(PipeWriter output) => ServerSentEventFormatter.WriteId(output, id);
}

/// <summary>What opens a stream: comments and a reconnection time.</summary>
internal readonly struct OpeningPayload(PreparedServerSentEvent opening) : IEventPayload
{
    public int EventCount => 0;

    public void Write(PipeWriter output) => ServerSentEventFormatter.WriteEvent(output, opening);
}

internal readonly struct EncodedPayload(ReadOnlyMemory<byte> encoded) : IEventPayload
{
    public int EventCount => 0;

    public void Write(PipeWriter output) => output.Write(encoded.Span);
}
