using System.Text;
using StackExchange.Redis;

namespace RealtimeKit.Redis;

/// <summary>
/// The names of an application's keys and channels: <c>prefix:{topic}:part</c>. All parts of a topic are in one slot of a cluster, and
/// topics are spread over the slots. A topic's name is escaped, so that it ends neither the hash tag nor the name.
/// </summary>
internal sealed class RedisKeys(string prefix)
{
    /// <summary>Where nodes send each other commands.</summary>
    public RedisChannel Nodes { get; } = RedisChannel.Sharded(prefix + ":nodes");

    /// <summary>The newest entries: a stream.</summary>
    public RedisKey Log(string topic) => Name(topic, "log");

    /// <summary>Epoch, offset and what trimming goes by: a hash.</summary>
    public RedisKey State(string topic) => Name(topic, "state");

    /// <summary>What each producer published last: a hash.</summary>
    public RedisKey Producers(string topic) => Name(topic, "producers");

    /// <summary>When: a sorted set.</summary>
    public RedisKey ProducerTimes(string topic) => Name(topic, "producers:at");

    /// <summary>The position of one publication that may be tried again: a string.</summary>
    public RedisKey Once(string topic, string token) => Name(topic, "once:" + token);

    /// <summary>Where a topic's entries are announced.</summary>
    public string Channel(string topic) => Name(topic, "new");

    /// <summary>The members of a set: a hash.</summary>
    public RedisKey Members(string set) => Name(set, "members");

    /// <summary>When they expire: a sorted set.</summary>
    public RedisKey MemberTimes(string set) => Name(set, "members:at");

    private string Name(string tag, string part) => $"{prefix}:{{{Escape(tag)}}}:{part}";

    private static string Escape(string name)
    {
        if (!name.AsSpan().ContainsAny("%{}"))
            return name;
        var escaped = new StringBuilder(name.Length + 8);
        foreach (var character in name)
        {
            _ = character switch
            {
                '%' => escaped.Append("%25"),
                '{' => escaped.Append("%7B"),
                '}' => escaped.Append("%7D"),
                _ => escaped.Append(character),
            };
        }

        return escaped.ToString();
    }
}
