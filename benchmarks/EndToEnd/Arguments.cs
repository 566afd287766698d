using System.Globalization;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>A verb, then <c>--name value</c> pairs and <c>--name</c> switches.</summary>
internal sealed class Arguments
{
    private readonly Dictionary<string, string?> _values = [];
    private readonly string _line;

    public Arguments(string[] args)
    {
        _line = string.Join(' ', args.Select(arg => arg.Contains(' ') ? $"\"{arg}\"" : arg));
        Verb = args.Length > 0 ? args[0] : "";
        for (var i = 1; i < args.Length; i++)
        {
            if (!args[i].StartsWith("--", StringComparison.Ordinal))
                throw new BenchmarkException($"Not an option: {args[i]}");
            var hasValue = i + 1 < args.Length && !args[i + 1].StartsWith("--", StringComparison.Ordinal);
            _values[args[i][2..]] = hasValue ? args[++i] : null;
        }
    }

    public string Verb { get; }

    public override string ToString() => _line;

    public bool Has(string name) => _values.ContainsKey(name);

    public string Text(string name, string fallback) => _values.GetValueOrDefault(name) ?? fallback;

    public int Number(string name, int? fallback = null)
    {
        if (_values.GetValueOrDefault(name) is not { } text)
            return fallback ?? throw new BenchmarkException($"--{name} is missing");
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new BenchmarkException($"--{name} is not a number: {text}");
    }

    public double Seconds(string name, double fallback)
    {
        if (_values.GetValueOrDefault(name) is not { } text)
            return fallback;
        return double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new BenchmarkException($"--{name} is not a number of seconds: {text}");
    }

    public string[] List(string name, string fallback) => Text(name, fallback).Split(',', StringSplitOptions.RemoveEmptyEntries);

    public int[] Numbers(string name, string fallback) =>
        [.. List(name, fallback).Select(text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new BenchmarkException($"--{name} is not a list of numbers: {text}"))];
}
