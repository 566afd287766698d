using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>
/// Serves echo at <c>/ws</c> on 127.0.0.1 with one implementation, and its counters at <c>/stats</c> and, after a forced collection,
/// <c>/gc</c>. Prints <c>PORT n</c>. With <c>--with-parent</c> it ends when standard input does, so that no server outlives a run.
/// </summary>
internal static class ServerProgram
{
    public static readonly string[] Implementations = ["framework", "ours", "bare-stream", "bare-pipes"];

    public static async Task<int> RunAsync(Arguments arguments)
    {
        var implementation = arguments.Text("impl", "framework");
        var compression = arguments.Text("compression", "off");
        if (compression is not ("off" or "on" or "takeover"))
            throw new BenchmarkException("--compression must be off, on or takeover");
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Loopback, arguments.Number("port", 0), listen =>
            {
                if (arguments.Has("https"))
                    listen.UseHttps(CreateCertificate());
                else
                    listen.Protocols = HttpProtocols.Http1;
            });
        });
        var app = builder.Build();
        app.MapGet("/stats", () => Results.Json(ServerStats.Read()));
        app.MapGet("/gc", () => Results.Json(ServerStats.CollectAndRead()));
        app.MapGet("/plain", () => Results.NoContent());
        switch (implementation)
        {
            case "framework":
                FrameworkEcho.Map(app, arguments.Number("buffer", 16 * 1024), arguments.Has("zero-byte"), compression);
                break;
            case "ours":
                OursEcho.Map(app, compression);
                break;
            case "bare-stream":
                BareEcho.MapStream(app, arguments.Number("buffer", 16 * 1024), corrupt: false);
                break;
            case "bare-pipes":
                BareEcho.MapPipes(app);
                break;
            case "corrupt": // for the self-check
                BareEcho.MapStream(app, arguments.Number("buffer", 16 * 1024), corrupt: true);
                break;
            default:
                if (!EventStreams.Implementations.Contains(implementation))
                    throw new BenchmarkException($"--impl must be one of {string.Join(", ", [.. Implementations, .. EventStreams.Implementations])}");
                EventStreams.Map(app, implementation, arguments.Number("size", 100));
                break;
        }

        await app.StartAsync();
        Console.WriteLine($"PORT {new Uri(app.Urls.First()).Port}");
        if (arguments.Has("with-parent"))
            await InputEndsAsync();
        else
            await app.WaitForShutdownAsync();
        return 0;
    }

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

    private static X509Certificate2 CreateCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), null);
    }
}
