using System.Globalization;

namespace RealtimeKit.Soak;

/// <summary>The command line.</summary>
internal sealed record SoakOptions
{
    public const string Usage = "soak [--connections 10000] [--minutes 5] [--seed 1] [--redis] [--drains 2] [--cycles 3] [--plant lost-message,leak,growth,stuck] [--patience 60] [--report FILE]";

    public int Connections { get; private set; } = 10_000;

    public double Minutes { get; private set; } = 5;

    public int Seed { get; private set; } = 1;

    public bool Redis { get; private set; }

    public int Drains { get; private set; } = 2;

    /// <summary>How often all clients come and go. The heap after the first is what it is measured by after the last.</summary>
    public int Cycles { get; private set; } = 3;

    /// <summary>How long everything may take to end, in seconds.</summary>
    public double Patience { get; private set; } = 60;

    public string? Plant { get; private set; }

    public string? Report { get; private set; }

    /// <summary>Reads the flags; <see langword="null"/> where they are wrong.</summary>
    public static SoakOptions? Parse(string[] args)
    {
        var options = new SoakOptions();
        for (var i = 0; i < args.Length; i++)
        {
            if (args[i] == "--redis")
            {
                options.Redis = true;
                continue;
            }

            if (i + 1 == args.Length)
                return null;
            var value = args[++i];
            var isNumber = double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number >= 0;
            switch (args[i - 1])
            {
                case "--connections" when isNumber && number >= 20:
                    options.Connections = (int)number;
                    break;
                case "--minutes" when isNumber && number <= 600:
                    options.Minutes = number;
                    break;
                case "--seed" when isNumber:
                    options.Seed = (int)number;
                    break;
                case "--drains" when isNumber:
                    options.Drains = (int)number;
                    break;
                case "--cycles" when isNumber && number >= 1:
                    options.Cycles = (int)number;
                    break;
                case "--patience" when isNumber:
                    options.Patience = number;
                    break;
                case "--plant" when value.Split(',').All(static plant => plant is "lost-message" or "leak" or "growth" or "stuck"):
                    options.Plant = value;
                    break;
                case "--report":
                    options.Report = value;
                    break;
                default:
                    return null;
            }
        }

        return options;
    }
}
