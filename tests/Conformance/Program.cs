using RealtimeKit.Conformance;

ConformanceArguments arguments;
try
{
    arguments = ConformanceArguments.Parse(args);
}
catch (FormatException error)
{
    Console.Error.WriteLine($"conformance: {error.Message}");
    return 2;
}

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, e) =>
{
    e.Cancel = true;
    stop.Cancel();
};
return await AutobahnClient.RunAsync(arguments, stop.Token);
