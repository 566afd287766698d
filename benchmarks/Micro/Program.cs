using BenchmarkDotNet.Running;
using RealtimeKit.Benchmarks.Micro.ServerSentEvents;

// Event streams, where the machine is not quiet enough for BenchmarkDotNet.
if (args is ["turns"])
{
    Console.Write(Turns.Run());
    return;
}

// --report DIRECTORY keeps the Markdown tables there; everything else is BenchmarkDotNet's (--filter, --job, --list).
var report = Array.IndexOf(args, "--report");
var directory = report >= 0 && report + 1 < args.Length ? Directory.CreateDirectory(args[report + 1]).FullName : null;
if (directory is not null)
    args = [.. args[..report], .. args[(report + 2)..]];

foreach (var summary in BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args))
{
    if (directory is null)
        continue;
    foreach (var table in Directory.EnumerateFiles(summary.ResultsDirectoryPath, "*-report-github.md"))
    {
        var name = Path.GetFileName(table).Replace("-report-github", "", StringComparison.Ordinal).Replace("RealtimeKit.Benchmarks.Micro.", "", StringComparison.Ordinal);
        File.Copy(table, Path.Combine(directory, name), overwrite: true);
    }
}
