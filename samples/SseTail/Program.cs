using RealtimeKit.Samples.SseTail;
using RealtimeKit.ServerSentEvents;

if (Arguments.Parse(args) is not { } arguments)
{
    Console.Error.WriteLine("usage: SseTail URL|- [--chunk N] [--all]");
    return 2;
}

using var output = new JsonLines(Console.OpenStandardOutput());
try
{
    if (arguments.Source == "-")
        await Tail.StandardInputAsync(arguments, output);
    else
        await Tail.UrlAsync(arguments, output);
    return 0;
}
catch (ServerSentEventLimitException error)
{
    Console.Error.WriteLine(error.Limit);
    return 3;
}
catch (ServerSentEventClientException error)
{
    Console.Error.WriteLine(error.Message);
    return 2;
}
