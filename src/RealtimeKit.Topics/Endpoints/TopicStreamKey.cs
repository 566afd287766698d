namespace RealtimeKit.Topics;

/// <summary>
/// What only the client of an event stream knows, and what it changes the stream with: the connection's id, by which its node is found, and a
/// secret, as ids are told to others by presence and the registry.
/// </summary>
/// <param name="ConnectionId">The connection's id.</param>
/// <param name="Secret">The secret.</param>
internal readonly record struct TopicStreamKey(string ConnectionId, string Secret)
{
    private const int PartLength = 22;   // TopicClient.NewSecret

    public override string ToString() => $"{ConnectionId}.{Secret}";

    /// <summary>Reads a key. Never throws.</summary>
    public static bool TryParse(string? text, out TopicStreamKey key)
    {
        var isOne = text is { Length: (2 * PartLength) + 1 } && text[PartLength] == '.';
        key = isOne ? new TopicStreamKey(text![..PartLength], text[(PartLength + 1)..]) : default;
        return isOne;
    }
}
