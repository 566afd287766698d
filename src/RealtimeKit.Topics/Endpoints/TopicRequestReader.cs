namespace RealtimeKit.Topics;

/// <summary>Finds out which topics a client asks for, and after which positions.</summary>
internal static class TopicRequestReader
{
    /// <summary>The parameter of the query that names a topic; it may stand there several times.</summary>
    public const string TopicParameter = "topic";

    /// <summary>The parameter of the query with the cursor of a page.</summary>
    public const string AfterParameter = "after";

    /// <summary>Reads a cursor.</summary>
    /// <param name="text">The text; <see langword="null"/> or empty for none.</param>
    /// <exception cref="TopicRefusedException">It is no cursor.</exception>
    public static TopicCursor? ReadCursor(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return null;
        return TopicCursor.TryParse(text, out var cursor) ? cursor : throw new TopicRefusedException(400, "The cursor is none of ours.");
    }

    /// <summary>
    /// The topics of a request: those of the endpoint, and those that the client names or, where it names none, whose cursor it has. A
    /// stream that its browser resumes has the topics of its cursor, whatever its URL says: topics came and went after it was opened.
    /// </summary>
    /// <param name="own">The endpoint's.</param>
    /// <param name="named">The client's; <see langword="null"/> where clients may name none, and only the endpoint's count.</param>
    /// <param name="after">The client's cursor.</param>
    /// <param name="isResume">Whether the cursor is a browser's <c>Last-Event-ID</c>.</param>
    /// <exception cref="TopicRefusedException">A name is not allowed.</exception>
    public static IReadOnlyList<string> ReadTopics(IReadOnlyList<string> own, IReadOnlyList<string?>? named, TopicCursor? after, bool isResume)
    {
        if (named is null)
            return own;
        var topics = new List<string>(own);
        var known = new HashSet<string>(own, StringComparer.Ordinal);
        if (after is not null && (isResume || named.Count == 0))
        {
            foreach (var (topic, _) in after)
                Add(topic);
        }
        else
        {
            foreach (var topic in named)
                Add(topic);
        }

        return topics;

        void Add(string? topic)
        {
            ThrowIfInvalid(topic);
            if (known.Add(topic!))
                topics.Add(topic!);
        }
    }

    /// <summary>Refuses a name that is not allowed.</summary>
    /// <param name="topic">The name.</param>
    /// <exception cref="TopicRefusedException">It is not allowed.</exception>
    public static void ThrowIfInvalid(string? topic)
    {
        if (topic is null || !TopicName.IsValid(topic))
            throw new TopicRefusedException(400, $"A topic's name has 1 to {TopicName.MaxLength} bytes as UTF-8 and no control characters.");
    }
}
