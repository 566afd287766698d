using BenchmarkDotNet.Running;

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
