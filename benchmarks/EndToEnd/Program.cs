using RealtimeKit.Benchmarks.EndToEnd;

const string Usage = """
    server --impl framework|ours|bare-stream|bare-pipes [--port 0] [--https] [--buffer 16384] [--zero-byte] [--compression off|on|takeover]
    load --port P [--connections 50] [--depth 1] [--size 125] [--seconds 5] [--warmup 1] [--raw] [--text]
    idle --port P [--connections 10000] [--http] [--raw] [--deflate OFFER]
    handshake --port P [--deflate OFFER] [--threads 8] [--seconds 3] [--warmup 1]
    run [--quick] [--impl a,b] [--connections 1,50,500] [--depth 1,16] [--size 16,125,1024,16384]
        [--rounds 3] [--seconds 2] [--warmup 1] [--idle 10000]
        [--only echo|idle] [--report PATH|none] [--note TEXT]
    run-deflate [--connections 1000] [--rounds 3] [--seconds 3] [--warmup 1] [--report PATH|none] [--note TEXT]
    self-check
    server --impl sse-framework|sse-ours|sse-bare [--port 0] [--size 100]
    sse-load --port P [--streams 1000] [--size 100] [--interval MS] [--seconds 5] [--warmup 1]
    sse-idle --port P [--streams 10000] [--path /sse|/wait] [--silent-until-first-event]
    sse-open --port P [--streams 5]
    run-sse [--quick] [--streams 1000] [--size 20,250,2000] [--interval 0,50] [--rounds 3] [--seconds 3] [--warmup 1] [--idle 10000]
        [--only events|idle|open] [--report PATH|none] [--note TEXT]
    server --impl fan-loop|fan-signalr|fan-topics-ws|fan-sockets|fan-results|fan-bytes|fan-topics-sse|fan-prepared-ws|fan-prepared-sse
        [--port 0] [--send-buffer BYTES] [--redis HOST:PORT]
    fan-load --port P[,P2] [--protocol WebSocket|SignalR|EventStream] [--subscribers 1000] [--size 100] [--burst 300,1] [--interval MS]
        [--seconds 3] [--warmup 1] [--least MESSAGES] [--stalled] [--fill MESSAGES] [--other-process ID]
    fan-idle --port P [--protocol P] [--subscribers 10000]
    run-fanout [--quick] [--impl a,b] [--subscribers 1000,5000] [--size 100,1024] [--burst 300,1] [--rounds 3] [--seconds 2] [--warmup 1]
        [--idle 10000] [--only deliveries|stalled|idle] [--report PATH|none] [--note TEXT]
    run-redis [--quick] [--subscribers 1000] [--size 100] [--burst 300,1] [--rounds 3] [--seconds 2] [--warmup 1]
        [--report PATH|none] [--note TEXT]
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
        case "handshake":
            return HandshakeProgram.Run(arguments);
        case "run-deflate":
            return await DeflateBenchmark.RunAsync(arguments);
        case "run":
            return await RunProgram.RunAsync(arguments);
        case "sse-load":
            return EventLoadProgram.RunLoad(arguments);
        case "sse-idle":
            return EventLoadProgram.RunIdle(arguments);
        case "sse-open":
            return EventLoadProgram.RunOpen(arguments);
        case "run-sse":
            return await EventBenchmark.RunAsync(arguments);
        case "fan-load":
            return FanOutLoadProgram.RunLoad(arguments);
        case "fan-idle":
            return FanOutLoadProgram.RunIdle(arguments);
        case "run-fanout":
            return await FanOutBenchmark.RunAsync(arguments);
        case "run-redis":
            return await RedisBenchmark.RunAsync(arguments);
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
