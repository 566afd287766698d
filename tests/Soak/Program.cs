using System.Globalization;
using RealtimeKit.Soak;

// dotnet run -c Release --project tests/Soak -- [--connections 10000] [--minutes 5] [--redis] …
if (args is ["server", var port, var redis, var plant])
    return await SoakServer.RunAsync(int.Parse(port, CultureInfo.InvariantCulture), redis == "-" ? null : redis, plant == "-" ? null : plant);

if (SoakOptions.Parse(args) is not { } options)
{
    Console.Error.WriteLine(SoakOptions.Usage);
    return 2;
}

using var run = new SoakRun(options);
var isClean = await run.RunAsync();
var table = run.Figures.ToTable(options, run.Tally, run.Bound);
Console.WriteLine(table);
foreach (var finding in run.Tally.Findings)
    Console.WriteLine(finding);
if (options.Report is { } report)
    await File.WriteAllTextAsync(report, table);
Console.WriteLine(isClean ? "PASSED" : "FAILED");
return isClean ? 0 : 1;
