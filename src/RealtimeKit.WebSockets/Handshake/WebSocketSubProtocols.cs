namespace RealtimeKit.WebSockets;

/// <summary>Subprotocol negotiation (RFC 6455 §1.9, §4.2.2 item 5): for those who answer a handshake by hand.</summary>
public static class WebSocketSubProtocols
{
    // Up to here comparing all pairs is cheaper than hashing.
    private const int PairwiseLimit = 16;

    /// <summary>Checks the client's list and chooses the first of the client's subprotocols that the server knows.</summary>
    /// <param name="offered">The values of the request's <c>Sec-WebSocket-Protocol</c>.</param>
    /// <param name="options">The limits, and the subprotocols that the server knows; <see langword="null"/> for the defaults.</param>
    /// <param name="selected">The chosen one, in the server's own string; <see langword="null"/> if none is common or the list is refused.</param>
    /// <returns>
    /// <see cref="WebSocketHandshakeError.None"/>, also when the header is absent; otherwise
    /// <see cref="WebSocketHandshakeError.SubProtocolsMalformed"/>, <see cref="WebSocketHandshakeError.SubProtocolDuplicate"/> or
    /// <see cref="WebSocketHandshakeError.TooManyListElements"/>.
    /// </returns>
    public static WebSocketHandshakeError Select(in WebSocketHeaderValues offered, WebSocketHandshakeOptions? options, out string? selected)
    {
        options ??= WebSocketHandshakeOptions.Default;
        selected = null;
        if (offered.Count == 0)
            return WebSocketHandshakeError.None;

        string? candidate = null;
        var count = 0;
        var names = new WebSocketSubProtocolReader(offered, options.MaxListElements);
        while (names.Read())
        {
            count++;
            candidate ??= Find(options.SubProtocols, names.Current);
        }
        if (names.Error != WebSocketHandshakeError.None)
            return names.Error;
        if (HasDuplicate(offered, options.MaxListElements, count))
            return WebSocketHandshakeError.SubProtocolDuplicate;

        selected = candidate;
        return WebSocketHandshakeError.None;
    }

    private static string? Find(IReadOnlyList<string> known, ReadOnlySpan<char> name)
    {
        for (var i = 0; i < known.Count; i++)
            if (name.SequenceEqual(known[i]))
                return known[i];
        return null;
    }

    private static bool HasDuplicate(in WebSocketHeaderValues offered, int maxElements, int count)
    {
        if (count < 2)
            return false;
        if (count > PairwiseLimit)
            return HasDuplicateByHash(offered, maxElements, count);

        var names = new WebSocketSubProtocolReader(offered, maxElements);
        while (names.Read())
        {
            // A copy of the reader goes on from where this one stands.
            var others = names;
            while (others.Read())
                if (others.Current.SequenceEqual(names.Current))
                    return true;
        }
        return false;
    }

    private static bool HasDuplicateByHash(in WebSocketHeaderValues offered, int maxElements, int count)
    {
        var seen = new HashSet<string>(count, StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();
        var names = new WebSocketSubProtocolReader(offered, maxElements);
        while (names.Read())
            if (!seen.Add(names.Current))
                return true;
        return false;
    }
}
