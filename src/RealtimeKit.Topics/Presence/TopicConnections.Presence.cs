using System.Buffers;
using System.Text.Json;

namespace RealtimeKit.Topics;

// Who is in which topic, and what its subscribers are told of that.
public sealed partial class TopicConnections
{
    internal async ValueTask JoinAsync(TopicSlot slot)
    {
        var (subscription, log) = (slot.Subscription, slot.Log);
        Member member;
        bool isFirst;
        lock (_lock)
        {
            // Another thread may have removed the topic or ended the subscription since it was added, and come here first.
            if (slot.HasLeft)
                return;

            // Somebody that is neither registered nor wanted in a list costs nothing.
            if (!log.Options.Presence && !_members.ContainsKey(subscription.ConnectionId!))
                return;
            slot.IsListed = true;
            member = GetMember(subscription.ConnectionId!, subscription.User is { } user ? UserIds.Of(user) : null);
            isFirst = !member.Topics.Contains(log.Topic);
            member.Topics.Add(log.Topic);
            if (isFirst)
                Index(TopicConnectionSelector.ByTopic(log.Topic), member);
        }

        if (!isFirst)
            return;
        await TellAsync(member, log.Topic, CancellationToken.None).ConfigureAwait(false);
        if (!log.Options.Presence)
            return;
        await AnnounceAsync("join", member, log.Topic).ConfigureAwait(false);
        bool isThere;
        lock (_lock)
            isThere = IsListed(TopicConnectionSelector.ByTopic(log.Topic), member.Id);

        // Who went meanwhile may have been announced as gone before it was announced as there.
        if (!isThere)
            await AnnounceAsync("leave", member, log.Topic).ConfigureAwait(false);
    }

    internal async ValueTask LeaveAsync(TopicSlot slot)
    {
        var (subscription, log) = (slot.Subscription, slot.Log);
        Member? member;
        lock (_lock)
        {
            slot.HasLeft = true;
            if (!slot.IsListed || !_members.TryGetValue(subscription.ConnectionId!, out member))
                return;
            if (!member.Topics.Remove(log.Topic) || member.Topics.Contains(log.Topic))
                return;
            Unindex(TopicConnectionSelector.ByTopic(log.Topic), member);
            RemoveIfUnused(member);
        }

        await RetractAsync(TopicConnectionSelector.ByTopic(log.Topic), member).ConfigureAwait(false);
        if (log.Options.Presence)
            await AnnounceAsync("leave", member, log.Topic).ConfigureAwait(false);
    }

    private async ValueTask AnnounceAsync(string what, Member member, string topic)
    {
        var name = TopicPresence.GetTopic(topic);
        if (!TopicName.IsValid(name))
            return;
        try
        {
            await _hub.PublishAsync(name, WritePresence(what, member), new TopicPublishOptions { Key = member.Id }).ConfigureAwait(false);
        }
        catch (TopicEngineException error)
        {
            _hub.LogPresenceFailed(error);
        }
    }

    private static byte[] WritePresence(string what, Member member)
    {
        var json = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(json);
        writer.WriteStartObject();
        writer.WriteString("event"u8, what);
        writer.WriteString("connection"u8, member.Id);
        if (member.UserId is not null)
            writer.WriteString("user"u8, member.UserId);
        writer.WriteEndObject();
        writer.Flush();
        return json.WrittenSpan.ToArray();
    }
}
