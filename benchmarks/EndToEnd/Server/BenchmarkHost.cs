using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>
/// Kestrel on 127.0.0.1 with its counters at <c>/stats</c> and, after a forced collection, <c>/gc</c>. Prints <c>PORT n</c>. With
/// <c>--with-parent</c> it ends when standard input does, so that no server outlives a run.
/// </summary>
internal static class BenchmarkHost
{
    public static WebApplicationBuilder CreateBuilder(Arguments arguments, Action<ListenOptions>? configureListen = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Loopback, arguments.Number("port", 0), listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                configureListen?.Invoke(listen);
            });
        });
        if (arguments.Has("send-buffer"))
            LimitSendBuffer(builder.Services, arguments.Number("send-buffer"));
        return builder;
    }

    public static void MapStats(WebApplication app)
    {
        app.MapGet("/stats", () => Results.Json(ServerStats.Read()));
        app.MapGet("/gc", () => Results.Json(ServerStats.CollectAndRead()));
    }

    public static async Task RunAsync(WebApplication app, Arguments arguments)
    {
        await app.StartAsync();
        Console.WriteLine($"PORT {new Uri(app.Urls.First()).Port}");
        if (arguments.Has("with-parent"))
            await InputEndsAsync();
        else
            await app.WaitForShutdownAsync();
    }

    // Accepted sockets inherit the kernel's send buffer, which then no longer grows by itself.
    private static void LimitSendBuffer(IServiceCollection services, int bytes) => services.Configure<SocketTransportOptions>(options =>
        options.CreateBoundListenSocket = endpoint =>
        {
            var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
            socket.SendBufferSize = bytes;
            return socket;
        });

    // On a thread of its own: reading standard input blocks, and the thread pool of one core would count the blocked thread as its only
    // one and stand still for half a second now and then.
    private static Task InputEndsAsync()
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            using var input = Console.OpenStandardInput();
            while (input.Read(new byte[64]) > 0)
            {
            }
            ended.SetResult();
        })
        { IsBackground = true, Name = "Standard input" };
        thread.Start();
        return ended.Task;
    }
}
