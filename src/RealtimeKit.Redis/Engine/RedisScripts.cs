namespace RealtimeKit.Redis;

/// <summary>The scripts, as they lie in <c>Scripts/</c>. The client sends each once to a server, and then its hash.</summary>
internal static class RedisScripts
{
    public static string Publish { get; } = Read("topic.lua") + Read("publish.lua");

    public static string Position { get; } = Read("topic.lua") + Read("position.lua");

    public static string SetMembers { get; } = Read("members-set.lua");

    public static string RemoveMember { get; } = Read("members-remove.lua");

    public static string ListMembers { get; } = Read("members-list.lua");

    private static string Read(string name)
    {
        using var reader = new StreamReader(typeof(RedisScripts).Assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}
