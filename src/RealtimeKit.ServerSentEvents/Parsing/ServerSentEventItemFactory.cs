using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace RealtimeKit.ServerSentEvents;

/// <summary>Makes an <see cref="SseItem{T}"/> of an event's bytes; subclasses differ in what they make of the data.</summary>
internal abstract class ServerSentEventItemFactory<T>
{
    private string _eventType = "message";
    private byte[] _eventTypeBytes = "message"u8.ToArray();

    public SseItem<T> Create(in ServerSentEventView view)
    {
        // Streams repeat their few event types: the last one's string serves again.
        if (!view.EventType.SequenceEqual(_eventTypeBytes))
        {
            _eventTypeBytes = view.EventType.ToArray();
            _eventType = Encoding.UTF8.GetString(_eventTypeBytes);
        }

        return new SseItem<T>(Parse(_eventType, view.Data), _eventType)
        {
            EventId = view.HasId ? Encoding.UTF8.GetString(view.LastEventId) : null,
            ReconnectionInterval = view.Retry,
        };
    }

    protected abstract T Parse(string eventType, ReadOnlySpan<byte> data);
}

internal sealed class TextItemFactory : ServerSentEventItemFactory<string>
{
    protected override string Parse(string eventType, ReadOnlySpan<byte> data) => Encoding.UTF8.GetString(data);
}

internal sealed class DelegateItemFactory<T>(SseItemParser<T> parse) : ServerSentEventItemFactory<T>
{
    protected override T Parse(string eventType, ReadOnlySpan<byte> data) => parse(eventType, data);
}

internal sealed class JsonItemFactory<T>(JsonTypeInfo<T> json) : ServerSentEventItemFactory<T?>
{
    protected override T? Parse(string eventType, ReadOnlySpan<byte> data) => JsonSerializer.Deserialize(data, json);
}
