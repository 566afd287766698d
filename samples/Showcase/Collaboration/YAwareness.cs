using System.Buffers;

namespace RealtimeKit.Samples.Showcase;

/// <summary>Who is there and where their carets are: for each client the newest state, by its clock. Not thread-safe: its room's lock guards it.</summary>
internal sealed class YAwareness
{
    private const int MaxClients = 64;
    private const int MaxStateSize = 2 * 1024;

    private readonly Dictionary<ulong, Entry> _entries = [];

    private static ReadOnlySpan<byte> Null => "null"u8;

    /// <summary>Takes what is new of an update. What is not has come back from others, and would go round for ever.</summary>
    /// <param name="update">The update.</param>
    /// <param name="owner">Whose connection it came over.</param>
    /// <param name="news">What was new, to be told to everybody; null where nothing was.</param>
    /// <returns>Whether the update can be read, and is within the limits.</returns>
    public bool TryApply(ReadOnlySpan<byte> update, object owner, out byte[]? news)
    {
        news = null;
        var changed = new List<ulong>();
        if (!YMessage.TryReadNumber(ref update, out var count))
            return false;
        for (; count > 0; count--)
        {
            if (!YMessage.TryReadNumber(ref update, out var client) || !YMessage.TryReadNumber(ref update, out var clock)
                || !YMessage.TryReadBytes(ref update, out var state) || state.Length > MaxStateSize)
                return false;
            var isGone = state.SequenceEqual(Null);
            var isKnown = _entries.TryGetValue(client, out var known);
            if (isKnown && (clock < known.Clock || (clock == known.Clock && !(isGone && known.State is not null))))
                continue;
            if (!isKnown && (isGone || !HasRoom()))
                continue;
            _entries[client] = new Entry(clock, isGone ? null : state.ToArray(), owner);
            changed.Add(client);
        }

        news = changed.Count > 0 ? Encode(changed) : null;
        return true;
    }

    /// <summary>Everybody who is there.</summary>
    public byte[] Encode() => Encode([.. _entries.Where(pair => pair.Value.State is not null).Select(pair => pair.Key)]);

    /// <summary>A connection has gone, and who came over it: what to tell the others.</summary>
    public byte[]? Remove(object owner)
    {
        var gone = _entries.Where(pair => pair.Value.Owner == owner && pair.Value.State is not null).Select(pair => pair.Key).ToList();
        foreach (var client in gone)
            _entries[client] = _entries[client] with { State = null };
        return gone.Count > 0 ? Encode(gone) : null;
    }

    private byte[] Encode(List<ulong> clients)
    {
        var output = new ArrayBufferWriter<byte>();
        YMessage.WriteNumber(output, (ulong)clients.Count);
        foreach (var client in clients)
        {
            YMessage.WriteNumber(output, client);
            YMessage.WriteNumber(output, _entries[client].Clock);
            YMessage.WriteBytes(output, _entries[client].State ?? Null);
        }

        return output.WrittenSpan.ToArray();
    }

    // Those who have gone are remembered, so that what others still say of them is seen to be old; not for ever.
    private bool HasRoom()
    {
        if (_entries.Count < MaxClients)
            return true;
        foreach (var (client, _) in _entries.Where(pair => pair.Value.State is null).ToList())
            _entries.Remove(client);
        return _entries.Count < MaxClients;
    }

    private readonly record struct Entry(ulong Clock, byte[]? State, object Owner);
}
