using System.Diagnostics;
using System.Net;
using RealtimeKit.AspNetCore;
using RealtimeKit.Tests;
using RealtimeKit.Topics;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Soak;

/// <summary>The server's process: echoes, topics, and what faults are asked for. <c>server PORT [REDIS] [--plant FAULT]</c>.</summary>
internal sealed class SoakServer : IDisposable
{
    public const int Addresses = 4;
    public const int History = 1000;

    /// <summary>An environment variable: where it is set, the pool knows who has rented what, which costs.</summary>
    public const string StacksVariable = "SOAK_STACKS";

    public static readonly TimeSpan RecoveryWindow = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan WriteTimeout = TimeSpan.FromSeconds(10);

    private readonly CheckingPool _pool = CheckingPool.Install(capturesStacks: Environment.GetEnvironmentVariable(StacksVariable) is not null);
    private readonly HostPool _hostPool = new();
    private readonly JumpingClock _clock = new();
    private readonly List<object> _planted = [];
    private readonly string[] _plants;
    private int _requests;
    private int _publications;

    private SoakServer(string? plants) => _plants = plants?.Split(',') ?? [];

    public static async Task<int> RunAsync(int port, string? redis, string? plant)
    {
        using var server = new SoakServer(plant);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Error);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            for (var i = 1; i <= Addresses; i++)
                kestrel.Listen(new IPAddress([127, 0, 0, (byte)i]), port);
        });
        if (server.Has("block"))
            builder.Services.Configure<HostOptions>(static host => host.ShutdownTimeout = TimeSpan.FromSeconds(8));
        var topics = builder.Services.AddTopics(server.Configure);
        if (redis is not null)
            topics.AddRedis(redis, static options => options.KeyPrefix = "soak");
        await using var app = builder.Build();
        server.Map(app);
        await app.StartAsync();
        Console.WriteLine("READY");

        // Ends with its parent, whose end of the pipe then closes.
        _ = Task.Run(async () =>
        {
            while (await Console.In.ReadLineAsync() is not null)
            {
            }

            await app.StopAsync();
        });
        await app.WaitForShutdownAsync();
        return 0;
    }

    public void Dispose() => _hostPool.Dispose();

    private void Configure(TopicsOptions topics)
    {
        topics.TimeProvider = _clock;
        topics.Default.HistoryCount = History;
        topics.Default.HistoryBytes = long.MaxValue;
        topics.Default.HistoryAge = Timeout.InfiniteTimeSpan;   // age is of the wall clock, which jumps by days here
        topics.Default.AuthorizePublish = static _ => ValueTask.FromResult(true);
        topics.Topic("heavy", static heavy =>
        {
            heavy.HistoryCount = 16;
            heavy.AuthorizePublish = static _ => ValueTask.FromResult(true);
        });
    }

    private bool Has(string plant) => _plants.Contains(plant);

    private void Map(WebApplication app)
    {
        app.Use(async (http, next) =>
        {
            Interlocked.Increment(ref _requests);
            try
            {
                if (Has("lost-message") && HttpMethods.IsPost(http.Request.Method) && http.Request.Path.Value!.StartsWith("/topics/t", StringComparison.Ordinal) && Interlocked.Increment(ref _publications) % 10 == 0)
                    http.Response.StatusCode = StatusCodes.Status202Accepted;
                else
                    await next(http);
            }
            finally
            {
                Interlocked.Decrement(ref _requests);
            }
        });
        app.MapWebSocket("/ws", Limits(new WebSocketEndpointOptions()), EchoAsync);
        app.MapWebSocket("/deflate", Limits(new WebSocketEndpointOptions { Compression = new PerMessageDeflateOptions { MinimumSize = 0 } }), EchoAsync);
        if (Has("block"))
            app.MapWebSocket("/block", Limits(new WebSocketEndpointOptions()), BlockAsync);
        app.MapTopics("/topics", options =>
        {
            Limits(options.WebSockets);
            options.WebPubSub!.RecoveryWindow = RecoveryWindow;
            options.ServerSentEvents = new ServerSentEventEndpointOptions { TimeProvider = _clock, WriteTimeout = WriteTimeout, HeartbeatInterval = TimeSpan.FromSeconds(10), Retry = TimeSpan.FromMilliseconds(500) };
        });
        app.MapPost("/fill", async (string topic, TopicHub hub) =>
        {
            for (var i = 0; i < History; i++)
                await hub.PublishAsync(topic, Ledger.Text(0));
        });
        app.MapPost("/jump", (double wall, double stamp) => _clock.Jump(TimeSpan.FromSeconds(wall), TimeSpan.FromSeconds(stamp)));
        app.MapPost("/pressure", Garbage.Make);
        app.MapGet("/stats", () => TypedResults.Json(Read(), ServerStatsJson.Default.ServerStats));
        app.MapGet("/gc", () =>
        {
            _pool.Rest();
            Garbage.Collect();
            return TypedResults.Json(Read(), ServerStatsJson.Default.ServerStats);
        });
    }

    private WebSocketEndpointOptions Limits(WebSocketEndpointOptions endpoint)
    {
        endpoint.Connection.TimeProvider = _clock;
        endpoint.Connection.WriteTimeout = WriteTimeout;
        endpoint.Connection.KeepAliveTimeout = TimeSpan.FromSeconds(20);   // a loaded machine and a jump together
        return endpoint;
    }

    private async Task EchoAsync(WebSocketConnection connection)
    {
        lock (_planted)
        {
            if (Has("leak"))
                _planted.Add(_pool.Rent(4096));
            if (Has("growth"))
                _planted.Add((connection, new byte[16 * 1024]));
        }

        await foreach (var message in connection.ReadAllAsync())
            await connection.SendAsync(message.Payload, message.Type);
        if (Has("stuck"))
            await Task.Delay(Timeout.Infinite);
    }

    // What no handler should do: it keeps a thread of the pool for a minute.
    private static async Task BlockAsync(WebSocketConnection connection)
    {
        await connection.ReceiveAsync();
        Thread.Sleep(TimeSpan.FromMinutes(1));
    }

    private ServerStats Read()
    {
        using var process = Process.GetCurrentProcess();
        return new ServerStats(
            Volatile.Read(ref _requests) - 1, TimerWheel.For(_clock).Count, _clock.Timers, _clock.Periodic, _clock.GetElapsedTime(TimerWheel.For(_clock).StalledUntil).TotalSeconds, ThreadPool.ThreadCount, _pool.Rents, _pool.Returns, _pool.AbandonedCount, _pool.Outstanding, [.. _pool.FindMisuse().Take(3)], [.. _pool.FindOutstanding().Take(5)],
            Garbage.Heap, _hostPool.Bytes, process.WorkingSet64, (long)process.TotalProcessorTime.TotalMilliseconds);
    }
}
