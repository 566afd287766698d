using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text.Json;
using RealtimeKit.Topics;

namespace RealtimeKit.Samples.Echo;

/// <summary>The same paths on HttpListener, without ASP.NET Core.</summary>
internal static class ListenerHost
{
    public static async Task<int> RunAsync(EchoOptions options)
    {
        using var logging = LoggerFactory.Create(logging => logging.AddConsole().SetMinimumLevel(LogLevel.Warning));
        HttpListener listener;
        try
        {
            listener = Start(options.Port);
        }
        catch (HttpListenerException error)
        {
            Console.Error.WriteLine($"echo: {error.Message}");
            return 1;
        }

        using var stop = new CancellationTokenSource();
        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        var router = new HttpListenerRouter(listener, new HttpListenerRouterOptions { LoggerFactory = logging });
        var topics = new TopicsOptions();
        TopicsEndpoint.Configure(topics, options);
        await using var hub = new TopicHub(options: topics, logger: logging.CreateLogger<TopicHub>());
        Map(router, hub, options);
        Console.WriteLine($"Listening on {listener.Prefixes.Single().TrimEnd('/')}");
        await router.RunAsync(stop.Token);
        listener.Close();
        return 0;

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.Cancel();
        }
    }

    private static void Map(HttpListenerRouter router, TopicHub hub, EchoOptions options)
    {
        var sockets = new HttpListenerWebSocketOptions { Origins = HttpListenerOriginPolicy.Any, SubProtocols = options.SubProtocols };
        EchoEndpoint.Raise(sockets.Connection, options);
        var topics = new HttpListenerTopicOptions { Origins = HttpListenerOriginPolicy.Any };
        EchoEndpoint.Raise(topics.WebSockets.Connection, options);
        var streams = new HttpListenerServerSentEventOptions { Origins = HttpListenerOriginPolicy.Any, Accept = context => ValueTask.FromResult(Accept(context, options.MaxMessage)) };
        router
            .MapWebSocket("/ws", sockets, EchoEndpoint.EchoAsync)
            .MapServerSentEvents("/sse", streams, (events, context, cancel) =>
                SseEndpoint.WriteAsync(events, context.Request.GetLastEventId(), name => context.Request.QueryString[name], cancel))
            .MapTopics("/topics", hub, topics);
        if (options.Stats)
            router.Map("GET", "/stats", WriteStatsAsync).Map("GET", "/gc", CollectAsync).Map("POST", "/gc", CollectAsync);
    }

    private static bool Accept(HttpListenerContext context, int maxSize)
    {
        var refusal = SseEndpoint.Refusal(context.Request.GetLastEventId(), name => context.Request.QueryString[name], maxSize);
        if (refusal != 0)
            context.Response.StatusCode = refusal;
        return refusal == 0;
    }

    private static async Task CollectAsync(HttpListenerContext context, CancellationToken stopping)
    {
        StatsEndpoint.Collect();
        await WriteStatsAsync(context, stopping);
    }

    private static async Task WriteStatsAsync(HttpListenerContext context, CancellationToken stopping)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(StatsEndpoint.Read(), StatsJson.Default.Stats);
        context.Response.ContentType = "application/json; charset=utf-8";
        context.Response.ContentLength64 = json.Length;
        await context.Response.OutputStream.WriteAsync(json, stopping);
    }

    // HttpListener knows no port 0: a free one is looked for, which somebody else may take first.
    private static HttpListener Start(int port)
    {
        for (var tries = 0; ; tries++)
        {
            var listener = new HttpListener();   // one that could not start is of no more use
            listener.Prefixes.Add(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{(port == 0 ? FreePort() : port)}/"));
            try
            {
                listener.Start();
                return listener;
            }
            catch (HttpListenerException) when (port == 0 && tries < 10)
            {
            }
        }
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
