using System.Diagnostics;

namespace RealtimeKit.Fuzzing;

/// <summary>Fuzzes a target: mutates inputs, keeps those that reach something new, and reports those that the target rejects.</summary>
internal sealed class Fuzzer(FuzzTarget target, ulong seed, Executor executor, Coverage? coverage = null, Corpus? corpus = null)
{
    // Without coverage nothing says what is worth keeping: so many that were made last.
    private const int Recent = 256;
    private const int MaxFinds = 10;

    private readonly FuzzRandom _random = new(FuzzRandom.Mix(seed, System.Text.Encoding.UTF8.GetBytes(target.Name)));
    private readonly List<byte[]> _inputs = [];
    private readonly HashSet<string> _causes = [];

    public long Executions => executor.Executions;

    public int CorpusSize => _inputs.Count;

    public int Edges => coverage?.Edges ?? 0;

    public List<Find> Finds { get; } = [];

    /// <summary>Called with a find that is minimised, one for each cause.</summary>
    public Action<Find>? OnFind { get; init; }

    /// <summary>Runs every input that is known, then new ones until it is enough.</summary>
    /// <param name="isEnough">Asked before every 64 new inputs, and after the known ones.</param>
    public void Run(Func<Fuzzer, bool> isEnough)
    {
        foreach (var (_, input) in corpus?.Load() ?? [])
        {
            var reached = Try(input);
            if (reached || coverage is null)
                _inputs.Add(input);
        }

        for (var i = 0; i < 16; i++)
        {
            var input = target.Generate(_random);
            if (Try(input) || coverage is null)
                Keep(input);
        }

        var mutator = new Mutator(target, _random);
        while (!isEnough(this) && Finds.Count < MaxFinds)
        {
            for (var i = 0; i < 64; i++)
            {
                var input = mutator.Next(_inputs);
                if (Try(input))
                    Keep(input);
                else if (coverage is null && _random.Once(16))
                    KeepRecent(input);
            }
        }
    }

    private bool Try(byte[] input)
    {
        coverage?.Begin();
        if (executor.Run(input) is { } find)
        {
            Report(find);
            return false;
        }

        return coverage?.Add() ?? false;
    }

    private void Report(Find find)
    {
        if (!_causes.Add(find.Cause))
            return;
        find = Minimizer.Minimize(executor, find);
        Finds.Add(find);
        OnFind?.Invoke(find);
    }

    private void Keep(byte[] input)
    {
        _inputs.Add(input);
        if (coverage is not null)
            corpus?.Add(input);
    }

    private void KeepRecent(byte[] input)
    {
        if (_inputs.Count < Recent)
            _inputs.Add(input);
        else
            _inputs[_random.Next(_inputs.Count)] = input;
    }
}
