using RealtimeKit.Benchmarks.EndToEnd;

// One node of SignalR with its Redis backplane, which the verb run-redis of benchmarks/EndToEnd starts:
//     server --redis HOST:PORT [--port 0] [--with-parent]
try
{
    var arguments = new Arguments(args);
    var builder = BenchmarkHost.CreateBuilder(arguments);
    SignalRGroup.AddServices(builder.Services).AddStackExchangeRedis(arguments.Text("redis", "127.0.0.1:6379"));
    var app = builder.Build();
    BenchmarkHost.MapStats(app);
    FanOutEndpoints.Map(app, new SignalRGroup());
    await BenchmarkHost.RunAsync(app, arguments);
    return 0;
}
catch (BenchmarkException exception)
{
    Console.Error.WriteLine(exception.Message);
    return 1;
}
