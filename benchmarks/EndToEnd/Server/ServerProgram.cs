using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>Serves echo at <c>/ws</c> with one implementation, or event streams, or a fan-out; see <see cref="BenchmarkHost"/>.</summary>
internal static class ServerProgram
{
    public static readonly string[] Implementations = ["framework", "ours", "bare-stream", "bare-pipes"];

    public static async Task<int> RunAsync(Arguments arguments)
    {
        var implementation = arguments.Text("impl", "framework");
        var compression = arguments.Text("compression", "off");
        if (compression is not ("off" or "on" or "takeover"))
            throw new BenchmarkException("--compression must be off, on or takeover");
        var builder = BenchmarkHost.CreateBuilder(arguments, listen =>
        {
            if (!arguments.Has("https"))
                return;
            listen.Protocols = HttpProtocols.Http1AndHttp2;
            listen.UseHttps(CreateCertificate());
        });
        FanOutServer.AddServices(builder.Services, implementation, arguments);
        var app = builder.Build();
        BenchmarkHost.MapStats(app);
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
                if (EventStreams.Implementations.Contains(implementation))
                    EventStreams.Map(app, implementation, arguments.Number("size", 100));
                else if (FanOutServer.Implementations.Contains(implementation))
                    FanOutServer.Map(app, implementation);
                else
                    throw new BenchmarkException($"--impl must be one of {string.Join(", ", [.. Implementations, .. EventStreams.Implementations, .. FanOutServer.Implementations])}");
                break;
        }

        await BenchmarkHost.RunAsync(app, arguments);
        return 0;
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
