namespace RealtimeKit.Fuzzing.Tests;

/// <summary>The short run: what is known, and as many new inputs as take a few seconds, always the same.</summary>
public sealed class TargetTests
{
    private static readonly string Sources = new Settings([]).Sources;

    public static TheoryData<string> Targets => [.. AllTargets.List.Select(static target => target.Name)];

    [Theory]
    [MemberData(nameof(Targets))]
    public void Run_CorpusAndRegressions_NothingFound(string name)
    {
        var executor = new Executor(AllTargets.Find(name));
        var files = new Corpus(Sources, "", name).Load(withAdded: false).ToArray();
        files.Should().NotBeEmpty("every target has seeds in tests/Fuzzing/corpus");
        files.Where(file => executor.Run(file.Input) is not null).Select(static file => file.Path).Should().BeEmpty();
    }

    [Theory]
    [MemberData(nameof(Targets))]
    public void Run_NewInputsOfAFixedSeed_NothingFound(string name)
    {
        var target = AllTargets.Find(name);
        var executions = name switch { "deflate" => 1000, "fragments" or "frames-bcl" or "webpubsub" or "sse-write" => 4000, _ => 15_000 };
        var fuzzer = new Fuzzer(target, seed: 1, new Executor(target), corpus: new Corpus(Sources, Path.GetTempPath(), name) { IncludesAdded = false });
        fuzzer.Run(run => run.Executions >= executions);
        fuzzer.Finds.Select(find => $"{find.Error.Message}: {target.Explain(find.Input)}").Should().BeEmpty();
        fuzzer.Executions.Should().BeGreaterThanOrEqualTo(executions);
    }
}
