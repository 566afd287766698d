namespace RealtimeKit;

/// <summary>A client's cursor (WHATWG HTML §9.2.4): where it may stand in a request, and what it may be.</summary>
internal static class LastEventId
{
    public const string Header = "Last-Event-ID";

    public const string Parameter = "lastEventId";

    public const int MaxLength = 4096;

    public static bool IsValid(string id) => id.Length <= MaxLength && !id.AsSpan().ContainsAny('\r', '\n', '\0');
}
