using System.Globalization;

namespace RealtimeKit.Samples.Broadcast;

/// <summary>The command line.</summary>
/// <param name="Port">Where to listen, on 127.0.0.1.</param>
/// <param name="Interval">How often something happens in some match.</param>
/// <param name="Redis">Where the topics are kept; in process where null.</param>
/// <param name="Follows">Whether another node publishes.</param>
internal sealed record BroadcastOptions(int Port, TimeSpan Interval, string? Redis, bool Follows)
{
    /// <summary>Reads the flags; null where they cannot be read.</summary>
    public static BroadcastOptions? Parse(string[] args)
    {
        var options = new BroadcastOptions(5090, TimeSpan.FromSeconds(1), null, false);
        var flags = new Queue<string>(args);
        while (options is not null && flags.TryDequeue(out var flag))
        {
            options = flag switch
            {
                "--follow" => options with { Follows = true },
                "--port" => Number(flags, ushort.MaxValue) is { } port ? options with { Port = port } : null,
                "--interval" => Number(flags, 60_000) is { } milliseconds and > 0 ? options with { Interval = TimeSpan.FromMilliseconds(milliseconds) } : null,
                "--redis" => flags.TryDequeue(out var redis) ? options with { Redis = redis } : null,
                _ => null,
            };
        }

        return options is { Follows: true, Redis: null } ? null : options;
    }

    private static int? Number(Queue<string> flags, int maximum) =>
        flags.TryDequeue(out var text) && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= maximum ? number : null;
}
