namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>A server in a comparison: its name in the report, its command line, and whether it echoes raw bytes.</summary>
internal sealed record Contender(string Name, string[] Server, bool IsRaw)
{
    public static Contender Echo(string implementation) => implementation switch
    {
        "framework" or "ours" => new(implementation, ["--impl", implementation], IsRaw: false),
        "bare-stream" or "bare-pipes" => new(implementation, ["--impl", implementation], IsRaw: true),
        _ => throw new BenchmarkException($"--impl must be of {string.Join(", ", ServerProgram.Implementations)}"),
    };

    public static IEnumerable<Contender> Idle(IEnumerable<string> implementations) => implementations.SelectMany(name => name switch
    {
        "framework" =>
        [
            new Contender("framework, 16 KiB buffer", ["--impl", name], IsRaw: false),
            new Contender("framework, 4 KiB buffer", ["--impl", name, "--buffer", "4096"], IsRaw: false),
            new Contender("framework, zero-byte reads", ["--impl", name, "--zero-byte"], IsRaw: false),
        ],
        "bare-stream" => [],
        _ => new[] { Echo(name) },
    });
}
