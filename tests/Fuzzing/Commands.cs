using System.Diagnostics;
using System.Globalization;
using System.Reflection;

namespace RealtimeKit.Fuzzing;

/// <summary>What the command line offers.</summary>
internal static class Commands
{
    private static string Commit =>
        typeof(Commands).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+') is [_, var commit]
            ? commit[..Math.Min(commit.Length, 10)]
            : "unknown";

    public static int Help()
    {
        Console.WriteLine("""
            Fuzzes RealtimeKit. dotnet run -c Release --project tests/Fuzzing -- COMMAND

              list                                  the targets
              run TARGET|all [--cpu-minutes 1]      fuzz with coverage; --resume counts what the log has, --piece 5 is one process's share,
                  [--seed N] [--executions N]       --log, --work and --sources name other places
              replay TARGET FILE…                   run inputs, print what is wrong with them
              minimize TARGET FILE…                 make finds shorter, in place
              cmin TARGET|all                       merge what runs have added into the corpus of the repository
              log [--cpu-minutes 60]                what each target has, and what it lacks
              instrument FOLDER                     write an instrumented copy, for AFL++
              afl TARGET                            under afl-fuzz: read inputs from it (see README.md)
            """);
        return 2;
    }

    public static int List()
    {
        foreach (var target in AllTargets.List)
            Console.WriteLine($"{target.Name,-12} {target.Description}");
        return 0;
    }

    public static int Run(Settings settings, string word)
    {
        var program = Instrumentation.Prepare(Path.Combine(settings.Work, "instrumented"));
        var targets = Settings.Targets(word);
        var left = targets.ToDictionary(static target => target, target => settings.CpuMinutes - (settings.Resume ? RunLog.Minutes(settings.Log, target) : 0));
        var finds = 0;

        // In turns, so that an interrupted run has given every target about as much.
        while (left.Any(static pair => pair.Value > 0.01))
        {
            foreach (var target in targets)
            {
                var minutes = Math.Min(left[target], settings.PieceMinutes);
                if (minutes <= 0.01)
                    continue;
                left[target] = settings.Executions == long.MaxValue ? left[target] - minutes : 0;
                finds += StartPiece(settings, program, target, minutes);
            }
        }

        return finds == 0 ? 0 : 1;
    }

    private static int StartPiece(Settings settings, string program, FuzzTarget target, double minutes)
    {
        var seed = settings.Seed ?? (ulong)RunLog.Pieces(settings.Log, target) + 1;
        var code = Instrumentation.Start(program,
        [
            "piece", target.Name, "--cpu-minutes", minutes.ToString(CultureInfo.InvariantCulture), "--seed", seed.ToString(CultureInfo.InvariantCulture),
            "--executions", settings.Executions.ToString(CultureInfo.InvariantCulture), "--input-seconds", settings.InputSeconds.ToString(CultureInfo.InvariantCulture),
            "--sources", settings.Sources, "--work", settings.Work, "--log", settings.Log,
        ]);
        if (code is 0 or 1)
            return code;

        // The process did not survive its input.
        var what = code switch { Watchdog.TimedOut => "timeout", Watchdog.OutOfMemory => "memory", _ => "crash" };
        if (Watchdog.ReadLast(LastInput(settings, target)) is { } input)
        {
            var path = new Corpus(settings.Sources, settings.Work, target.Name).SaveFind($"{what}-{FuzzRandom.Mix(0, input):x16}.bin", input);
            Console.WriteLine($"FIND in {target.Name}: {what} (exit code {code})\n  {ReplayCommand(target, path)}");
        }
        else
        {
            Console.WriteLine($"{target.Name} ended with exit code {code} between inputs");
        }

        RunLog.Append(settings.Log, new RunLog.Piece(Commit, target.Name, seed, 0, 0, 0, 0, 1));
        return 1;
    }

    public static int RunPiece(Settings settings, FuzzTarget target)
    {
        var coverage = Instrumentation.IsActive ? new Coverage() : null;
        var corpus = new Corpus(settings.Sources, settings.Work, target.Name);
        Directory.CreateDirectory(settings.Work);
        using var watchdog = new Watchdog(LastInput(settings, target), TimeSpan.FromSeconds(settings.InputSeconds));
        var executor = new Executor(target, watchdog);
        var seed = settings.Seed ?? 1;
        var fuzzer = new Fuzzer(target, seed, executor, coverage, corpus)
        {
            OnFind = find =>
            {
                var path = corpus.SaveFind(find.FileName, find.Input);
                Console.WriteLine($"FIND in {target.Name}: {find.Error}\n  {target.Explain(find.Input)}\n  {ReplayCommand(target, path)}");
            },
        };
        var clock = Stopwatch.StartNew();
        var process = Process.GetCurrentProcess();
        double CpuSeconds()
        {
            process.Refresh();
            return process.TotalProcessorTime.TotalSeconds;
        }

        fuzzer.Run(fuzzer => fuzzer.Executions >= settings.Executions || CpuSeconds() >= settings.CpuMinutes * 60);
        var cpu = CpuSeconds();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{target.Name,-12} seed {seed} commit {Commit}: {fuzzer.Executions} executions, {fuzzer.Executions / Math.Max(cpu, 0.001):F0}/s, {cpu:F1} CPU s in {clock.Elapsed.TotalSeconds:F1} s, corpus {fuzzer.CorpusSize}, edges {fuzzer.Edges}, finds {fuzzer.Finds.Count}"));
        if (settings.Executions == long.MaxValue)
            RunLog.Append(settings.Log, new RunLog.Piece(Commit, target.Name, seed, fuzzer.Executions, cpu, fuzzer.CorpusSize, fuzzer.Edges, fuzzer.Finds.Count));
        return fuzzer.Finds.Count == 0 ? 0 : 1;
    }

    public static int Replay(Settings settings, FuzzTarget target, string[] files)
    {
        var failed = 0;
        foreach (var path in files.Length == 0 ? [.. new Corpus(settings.Sources, settings.Work, target.Name).Load().Select(static file => file.Path)] : files)
        {
            var input = File.ReadAllBytes(path);
            if (files.Length is > 0 and < 10)
                Console.WriteLine($"{path}: {input.Length} bytes\n{target.Explain(input)}");
            if (new Executor(target).Run(input) is not { } find)
                continue;
            failed++;
            Console.WriteLine($"{path}: {find.Error}");
        }

        Console.WriteLine(failed == 0 ? "nothing found" : $"{failed} found");
        return failed == 0 ? 0 : 1;
    }

    public static int Minimize(Settings settings, FuzzTarget target, string[] files)
    {
        var executor = new Executor(target);
        foreach (var path in files)
        {
            var input = File.ReadAllBytes(path);
            if (executor.Run(input) is not { } find)
            {
                Console.WriteLine($"{path}: nothing found");
                continue;
            }

            var small = Minimizer.Minimize(executor, find);
            File.WriteAllBytes(path, small.Input);
            Console.WriteLine($"{path}: {input.Length} → {small.Input.Length} bytes: {small.Error.Message}\n{target.Explain(small.Input)}");
        }

        return 0;
    }

    public static int MinimizeCorpus(Settings settings, string word)
    {
        var program = Instrumentation.Prepare(Path.Combine(settings.Work, "instrumented"));
        return Settings.Targets(word).Max(target => Instrumentation.Start(program, ["cmin-piece", target.Name, "--sources", settings.Sources, "--work", settings.Work]));
    }

    /// <summary>The fewest and shortest inputs that take every edge that all of them take.</summary>
    public static int MinimizeCorpusOf(Settings settings, FuzzTarget target)
    {
        const int MaxFiles = 48;
        const int MaxBytes = 48 * 1024;
        var coverage = new Coverage();
        var corpus = new Corpus(settings.Sources, settings.Work, target.Name);
        var executor = new Executor(target);
        var inputs = corpus.Load().Select(static file => file.Input).DistinctBy(Convert.ToHexString).OrderBy(static input => input.Length).ToArray();
        foreach (var input in inputs)
            executor.Run(input);   // what runs only once is not the input's own
        var taken = new List<(byte[] Input, HashSet<int> Edges)>();
        foreach (var input in inputs)
        {
            coverage.Begin();
            if (executor.Run(input) is null)
                taken.Add((input, [.. coverage.Taken().Select(static edge => edge >> 8)]));
        }

        var kept = new List<byte[]>();
        var left = taken.SelectMany(static pair => pair.Edges).ToHashSet();
        var all = left.Count;
        while (left.Count > 0 && kept.Count < MaxFiles && kept.Sum(static input => input.Length) < MaxBytes)
        {
            var (input, edges) = taken.MaxBy(pair => (double)pair.Edges.Count(left.Contains) / (pair.Input.Length + 64));
            kept.Add(input);
            left.ExceptWith(edges);
        }

        if (Directory.Exists(corpus.Seeds))
            Directory.Delete(corpus.Seeds, recursive: true);
        foreach (var input in kept)
            Corpus.Save(corpus.Seeds, $"{FuzzRandom.Mix(0, input):x16}.bin", input);
        Console.WriteLine($"{target.Name,-12} {inputs.Length} inputs → {kept.Count}, {kept.Sum(static input => input.Length)} bytes, {all - left.Count} of {all} edges");
        return 0;
    }

    public static int RunUnderAfl(FuzzTarget target)
    {
        SharpFuzz.Fuzzer.OutOfProcess.Run(stream =>
        {
            using var input = new MemoryStream();
            stream.CopyTo(input);
            target.Run(input.GetBuffer().AsSpan(0, (int)input.Length));
        });
        return 0;
    }

    public static int Instrument(string folder)
    {
        Console.WriteLine(Instrumentation.Prepare(folder));
        return 0;
    }

    private static string LastInput(Settings settings, FuzzTarget target) => Path.Combine(settings.Work, $"{target.Name}.input");

    private static string ReplayCommand(FuzzTarget target, string path) => $"dotnet run -c Release --project tests/Fuzzing -- replay {target.Name} {path}";
}
