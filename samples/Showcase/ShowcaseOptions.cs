using System.Globalization;

namespace RealtimeKit.Samples.Showcase;

/// <summary>The command line.</summary>
/// <param name="Port">Where to listen, on 127.0.0.1; 0 takes a free one.</param>
/// <param name="SelfTest">A folder with pages that test this site from within: for browsers that nothing drives from outside.</param>
internal sealed record ShowcaseOptions(int Port, string? SelfTest)
{
    /// <summary>Reads the flags; null where they cannot be read.</summary>
    public static ShowcaseOptions? Parse(string[] args)
    {
        var options = new ShowcaseOptions(5081, null);
        var flags = new Queue<string>(args);
        while (options is not null && flags.TryDequeue(out var flag))
        {
            flags.TryDequeue(out var value);
            options = flag switch
            {
                "--port" when ushort.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var port) => options with { Port = port },
                "--self-test" when Directory.Exists(value) => options with { SelfTest = Path.GetFullPath(value) },
                _ => null,
            };
        }

        return options;
    }
}
