using System.Globalization;

namespace RealtimeKit.Fuzzing;

/// <summary>The command line: a command, words, and options of the form <c>--name value</c>.</summary>
internal sealed class Settings
{
    private readonly Dictionary<string, string> _options = new(StringComparer.Ordinal);

    public Settings(string[] arguments)
    {
        var words = new List<string>();
        for (var i = 0; i < arguments.Length; i++)
        {
            if (!arguments[i].StartsWith("--", StringComparison.Ordinal))
                words.Add(arguments[i]);
            else if (arguments[i] is "--resume")
                Resume = true;
            else if (i + 1 < arguments.Length)
                _options[arguments[i][2..]] = arguments[++i];
        }

        Command = words.FirstOrDefault() ?? "help";
        Words = [.. words.Skip(1)];
        All = arguments;
    }

    public string[] All { get; }

    public string Command { get; }

    public string[] Words { get; }

    /// <summary>Whether what the log has counts.</summary>
    public bool Resume { get; }

    /// <summary>CPU minutes for each target.</summary>
    public double CpuMinutes => Number("cpu-minutes", 1);

    /// <summary>CPU minutes of one process.</summary>
    public double PieceMinutes => Number("piece", 5);

    public long Executions => (long)Number("executions", long.MaxValue);

    public ulong? Seed => _options.TryGetValue("seed", out var seed) ? ulong.Parse(seed, CultureInfo.InvariantCulture) : null;

    /// <summary>Seconds that one input may take.</summary>
    public double InputSeconds => Number("input-seconds", 10);

    /// <summary>This project's folder, with the corpus and the log.</summary>
    public string Sources => _options.GetValueOrDefault("sources") ?? FindSources();

    /// <summary>Where a run keeps what it adds, and its instrumented copy.</summary>
    public string Work => _options.GetValueOrDefault("work") ?? Path.Combine(Sources, "../../artifacts/fuzzing");

    public string Log => _options.GetValueOrDefault("log") ?? Path.Combine(Sources, "LOG.md");

    public static IReadOnlyList<FuzzTarget> Targets(string word) => word == "all" ? AllTargets.List : [AllTargets.Find(word)];

    private double Number(string name, double otherwise) =>
        _options.TryGetValue(name, out var text) ? double.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    private static string FindSources()
    {
        foreach (var start in (string[])[AppContext.BaseDirectory, Environment.CurrentDirectory])
        {
            for (var folder = new DirectoryInfo(start); folder is not null; folder = folder.Parent)
            {
                var sources = Path.Combine(folder.FullName, "tests", "Fuzzing");
                if (File.Exists(Path.Combine(sources, "Fuzzing.csproj")))
                    return sources;
            }
        }

        throw new DirectoryNotFoundException("The folder tests/Fuzzing was not found: give it with --sources.");
    }
}
