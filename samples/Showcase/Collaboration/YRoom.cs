namespace RealtimeKit.Samples.Showcase;

/// <summary>
/// A document as the updates that make it up. Merging updates takes an implementation of their format, which the server does not have,
/// but its clients do: asked for everything, one answers with its whole document. That answer stands for every update that this client
/// was sent before it was asked, and these are dropped for it; updates of others that came meanwhile stay. So nothing is lost, as long as
/// clients answer with what they have: whoever may edit a document is trusted not to erase it, here as in any other editor.
/// </summary>
internal sealed class YRoom(int maxMembers = 32)
{
    /// <summary>One update, and all of a document: 1 MiB.</summary>
    public const int MaxDocumentSize = 1024 * 1024;

    // y-websocket comes back after every code but 4400–4499.
    public const int TryLater = 4503;
    public static readonly YRefusal DocumentIsFull = new(4413, "The document is full.");
    public static readonly YRefusal IsMalformed = new(4400, "That is not y-protocols.");

    private const int EnoughUpdates = 200;
    private const int EnoughBytes = 64 * 1024;
    private const int MaxAsked = 4;

    private readonly Lock _lock = new();
    private readonly List<(long Number, byte[] Message)> _updates = [];
    private readonly List<YMember> _members = [];
    private readonly YAwareness _awareness = new();
    private long _last;
    private int _size;
    private int _sizeOnceMerged;

    public bool IsEmpty
    {
        get
        {
            lock (_lock)
                return _members.Count == 0;
        }
    }

    public DateTimeOffset LeftAt { get; private set; }

    /// <summary>How many updates there are, and their size.</summary>
    public (int Count, int Size) Stored
    {
        get
        {
            lock (_lock)
                return (_updates.Count, _size);
        }
    }

    public bool TryEnter(YMember member)
    {
        lock (_lock)
        {
            if (_members.Count == maxMembers)
                return false;
            _members.Add(member);
            return true;
        }
    }

    public void Leave(YMember member)
    {
        lock (_lock)
        {
            _members.Remove(member);
            LeftAt = DateTimeOffset.UtcNow;
            if (_awareness.Remove(member) is { } gone)
                SendToAll(YMessage.AwarenessUpdate(gone));
        }
    }

    public YRefusal? Receive(YMember member, ReadOnlySpan<byte> message)
    {
        lock (_lock)
        {
            if (!YMessage.TryReadNumber(ref message, out var kind))
                return IsMalformed;
            switch (kind)
            {
                case YMessage.Sync when YMessage.TryReadNumber(ref message, out var step) && YMessage.TryReadBytes(ref message, out var value):
                    return step switch
                    {
                        YMessage.SyncStep1 => Answer(member),
                        YMessage.SyncStep2 when member.Asked.TryDequeue(out var last) => Take(member, value, last),
                        YMessage.SyncStep2 or YMessage.SyncUpdate => Take(member, value, 0),
                        _ => IsMalformed,
                    };
                case YMessage.Awareness when YMessage.TryReadBytes(ref message, out var update) && _awareness.TryApply(update, member, out var news):
                    // To the sender too: y-websocket leaves a server from which it hears nothing for 30 s, its own state included.
                    if (news is not null)
                        SendToAll(YMessage.AwarenessUpdate(news));
                    return null;
                case YMessage.QueryAwareness:
                    member.Send(YMessage.AwarenessUpdate(_awareness.Encode()));
                    return null;
                default:
                    return IsMalformed;
            }
        }
    }

    // Everything as it came, the end of it, who else is there; and then the question what the client has that the room has not.
    private YRefusal? Answer(YMember member)
    {
        foreach (var (_, message) in _updates)
            member.Send(message);
        member.Send(YMessage.ThatWasEverything);
        member.Send(YMessage.AwarenessUpdate(_awareness.Encode()));
        member.HasEverything = true;
        Ask(member);
        return null;
    }

    private void Ask(YMember member)
    {
        if (member.Asked.Count == MaxAsked)
            return;
        member.Asked.Enqueue(_last);
        member.Send(YMessage.AskForEverything);
    }

    /// <summary>Takes an update that stands for all those up to a number.</summary>
    private YRefusal? Take(YMember member, ReadOnlySpan<byte> update, long last)
    {
        var message = YMessage.Update(update);
        if (message.AsSpan().SequenceEqual(YMessage.Nothing) || _updates.Any(known => known.Message.AsSpan().SequenceEqual(message)))
            return null;
        var replaced = _updates.Where(old => old.Number <= last).Sum(old => old.Message.Length);
        if (_size - replaced + message.Length > MaxDocumentSize)
            return DocumentIsFull;

        _updates.RemoveAll(old => old.Number <= last);
        _updates.Add((++_last, message));
        _size += message.Length - replaced;
        foreach (var other in _members)
        {
            if (other != member)
                other.Send(message);
        }

        if (last > 0)
            _sizeOnceMerged = _size;
        else if ((_updates.Count > EnoughUpdates || _size > 2 * _sizeOnceMerged + EnoughBytes) && member is { HasEverything: true, Asked.Count: 0 })
            Ask(member);
        return null;
    }

    private void SendToAll(byte[] message)
    {
        foreach (var member in _members)
            member.Send(message);
    }
}

/// <summary>Why a member is sent away.</summary>
internal sealed record YRefusal(int Code, string Reason);
