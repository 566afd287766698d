using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using RealtimeKit.ServerSentEvents;

namespace RealtimeKit.Topics;

/// <summary>
/// Delivers entries to an event stream. The type of an event is the topic, unless the publisher named one; its <c>id</c> is the cursor of
/// all topics of the stream. A gap is an event of type <c>gap</c> with <c>{"topic":…,"from":…,"to":…}</c>; a topic that was added or removed
/// moves the client's last event id without an event.
/// </summary>
public sealed class ServerSentEventTopicSubscriber : ITopicSubscriber
{
    private readonly ServerSentEventWriter _events;
    private readonly Action<TopicSubscription, TopicSubscriptionEnd, Exception?>? _onEnded;

    /// <summary>Makes a subscriber.</summary>
    /// <param name="events">The stream, which stays the caller's.</param>
    /// <param name="onEnded">Called when the subscription has ended; see <see cref="ITopicSubscriber.OnEnded"/>. Default: closes the writer.</param>
    public ServerSentEventTopicSubscriber(ServerSentEventWriter events, Action<TopicSubscription, TopicSubscriptionEnd, Exception?>? onEnded = null)
    {
        ArgumentNullException.ThrowIfNull(events);
        _events = events;
        _onEnded = onEnded;
    }

    /// <inheritdoc/>
    public ValueTask DeliverAsync(TopicSubscription subscription, ReadOnlySpan<TopicItem> items)
    {
        ArgumentNullException.ThrowIfNull(subscription);
        if (_events.TrySendBatch(new Events(subscription, items), out var flush))
            return flush;

        // Somebody else is writing, a heartbeat for one. The cursors are this batch's, so it is encoded now.
        var encoded = new ArrayBufferWriter<byte>();
        Write(encoded, subscription, items);
        return _events.SendEncodedAsync(encoded.WrittenMemory);
    }

    /// <inheritdoc/>
    public void OnEnded(TopicSubscription subscription, TopicSubscriptionEnd reason, Exception? exception)
    {
        if (_onEnded is not null)
            _onEnded(subscription, reason, exception);
        else
            _events.Close();
    }

    private static void Write<TWriter>(TWriter output, TopicSubscription subscription, ReadOnlySpan<TopicItem> items)
        where TWriter : class, IBufferWriter<byte>
    {
        var buffer = new EventBuffer<TWriter>(output);
        for (var i = 0; i < items.Length; i++)
        {
            ref readonly var item = ref items[i];
            var cursor = subscription.GetCursor(item);
            switch (item.Kind)
            {
                case TopicItemKind.Entry:
                    buffer.WriteEvent(cursor, item.Entry.ServerSentEvent.Utf8.Span);
                    break;
                case TopicItemKind.Gap:
                    buffer.WriteEvent(cursor, WriteGap(item.Gap).Utf8.Span);
                    break;
                default:
                    // WHATWG HTML §9.2.6: an id without data dispatches nothing, and is the last event id all the same.
                    if (i + 1 == items.Length || items[i + 1].Kind is TopicItemKind.Entry or TopicItemKind.Gap)
                        buffer.WriteEvent(cursor, "\n"u8);
                    break;
            }
        }

        buffer.Commit();
    }

    private static PreparedServerSentEvent WriteGap(in TopicGap gap)
    {
        var json = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(json);
        writer.WriteStartObject();
        writer.WriteString("topic"u8, gap.Topic);
        writer.WriteString("from"u8, gap.From.ToString());
        writer.WriteString("to"u8, gap.To.ToString());
        writer.WriteEndObject();
        writer.Flush();
        return PreparedServerSentEvent.Create(json.WrittenSpan, "gap");
    }

    // Events are small, and Kestrel takes a lock for each span and each advance: many share one of both.
    private ref struct EventBuffer<TWriter>(TWriter output)
        where TWriter : class, IBufferWriter<byte>
    {
        private const int Field = 4;
        private const int MaxShort = 2048;

        private Span<byte> _free;
        private int _written;

        public void WriteEvent(ReadOnlySpan<byte> cursor, ReadOnlySpan<byte> rest)
        {
            var idLength = Field + cursor.Length + 1;
            var isShort = rest.Length <= MaxShort;
            var span = Take(isShort ? idLength + rest.Length : idLength);
            "id: "u8.CopyTo(span);
            cursor.CopyTo(span[Field..]);
            span[idLength - 1] = (byte)'\n';
            if (isShort)
            {
                rest.CopyTo(span[idLength..]);
                return;
            }

            Commit();
            output.Write(rest);
        }

        public void Commit()
        {
            if (_written > 0)
                output.Advance(_written);
            _free = default;
            _written = 0;
        }

        private Span<byte> Take(int length)
        {
            if (_free.Length < length)
            {
                Commit();
                _free = output.GetSpan(length);
            }

            var taken = _free[..length];
            _free = _free[length..];
            _written += length;
            return taken;
        }
    }

    private readonly ref struct Events(TopicSubscription subscription, ReadOnlySpan<TopicItem> items) : IEventPayload
    {
        private readonly ReadOnlySpan<TopicItem> _items = items;

        public int EventCount
        {
            get
            {
                var count = 0;
                foreach (var item in _items)
                    count += item.Kind is TopicItemKind.Entry or TopicItemKind.Gap ? 1 : 0;
                return count;
            }
        }

        public void Write(PipeWriter output) => ServerSentEventTopicSubscriber.Write(output, subscription, _items);
    }
}
