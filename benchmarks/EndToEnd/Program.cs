using RealtimeKit.Benchmarks.EndToEnd;

const string Usage = """
    server --impl framework|ours|bare-stream|bare-pipes [--port 0] [--https] [--buffer 16384] [--zero-byte]
    load --port P [--connections 50] [--depth 1] [--size 125] [--seconds 5] [--warmup 1] [--raw] [--text]
    idle --port P [--connections 10000] [--http] [--raw]
    run [--quick] [--impl a,b] [--connections 1,50,500] [--depth 1,16] [--size 16,125,1024,16384]
        [--rounds 3] [--seconds 2] [--warmup 1] [--idle 10000]
        [--only echo|idle] [--report PATH|none] [--note TEXT]
    self-check
    """;

try
{
    var arguments = new Arguments(args);
    switch (arguments.Verb)
    {
        case "server":
            return await ServerProgram.RunAsync(arguments);
        case "load":
            return LoadProgram.RunEcho(arguments);
        case "idle":
            return LoadProgram.RunIdle(arguments);
        case "run":
            return await RunProgram.RunAsync(arguments);
        case "self-check":
            return await SelfCheck.RunAsync();
        default:
            Console.Error.WriteLine(Usage);
            return 2;
    }
}
catch (BenchmarkException exception)
{
    Console.Error.WriteLine(exception.Message);
    return 1;
}
