using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using RealtimeKit.ServerSentEvents;

namespace RealtimeKit.Security.Tests.Tls;

/// <summary>wss and https on Kestrel, with our own clients.</summary>
public class TlsTests
{
    public static TheoryData<int, SslProtocols> All => new() { { 1, SslProtocols.Tls12 }, { 1, SslProtocols.Tls13 }, { 2, SslProtocols.Tls12 }, { 2, SslProtocols.Tls13 } };

    [Theory(Timeout = Until.Bound), MemberData(nameof(All))]
    public async Task EachTransport_EachVersion_Works(int http, SslProtocols protocol)
    {
        await using var app = await StartAsync(Certificates.Server, protocol);
        await using var socket = await WebSocketClient.ConnectAsync(Uri(app, "/ws"), SocketOptions(http), Until.Cancelled);
        await socket.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Text, Until.Cancelled);
        (await socket.ReceiveAsync(Until.Cancelled)).GetText().Should().Be("hello");
        await using var live = await WebSocketClient.ConnectAsync(Uri(app, "/live?topic=a"), SocketOptions(http), Until.Cancelled);
        await using var events = Events(app, "/live?topic=a", http).ReadAllAsync(Until.Cancelled).GetAsyncEnumerator(Until.Cancelled);
        (await events.MoveNextAsync()).Should().BeTrue();
        events.Current.EventType.Should().Be("stream");
        await app.Services.GetRequiredService<TopicHub>().PublishAsync("a", "news", cancellationToken: Until.Cancelled);
        (await live.ReceiveAsync(Until.Cancelled)).GetText().Should().Be("news");
        (await events.MoveNextAsync()).Should().BeTrue();
        events.Current.Data.Should().Be("news");
        await using var about = Events(app, "/sse", http).ReadAllAsync(Until.Cancelled).GetAsyncEnumerator(Until.Cancelled);
        (await about.MoveNextAsync()).Should().BeTrue();
        about.Current.Data.Should().Be($"HTTP/{(http == 2 ? "2" : "1.1")} {protocol} none");
    }

    [Theory(Timeout = Until.Bound), InlineData(1), InlineData(2)]
    public async Task ClientCertificate_ReachesTheApplication(int http)
    {
        await using var app = await StartAsync(Certificates.Server, SslProtocols.Tls13, ClientCertificateMode.RequireCertificate);
        var certificates = new X509CertificateCollection { Certificates.Client };
        await using var socket = await WebSocketClient.ConnectAsync(Uri(app, "/who"), SocketOptions(http, certificates), Until.Cancelled);
        (await socket.ReceiveAsync(Until.Cancelled)).GetText().Should().Be("CN=client-7");
        await using var events = Events(app, "/sse", http, certificates).ReadAllAsync(Until.Cancelled).GetAsyncEnumerator(Until.Cancelled);
        (await events.MoveNextAsync()).Should().BeTrue();
        events.Current.Data.Should().EndWith("CN=client-7");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task ClientCertificate_Missing_IsNotConnected()
    {
        await using var app = await StartAsync(Certificates.Server, SslProtocols.Tls12, ClientCertificateMode.RequireCertificate);
        await FluentActions.Awaiting(() => WebSocketClient.ConnectAsync(Uri(app, "/who"), SocketOptions(1), Until.Cancelled)).Should().ThrowAsync<WebSocketConnectException>();
    }

    // What is wrong stands in the message of a typed exception, for both clients, and neither tries again: it would be as wrong tomorrow.
    [Theory(Timeout = Until.Bound)]
    [InlineData("untrusted", "UntrustedRoot", "PartialChain")]
    [InlineData("name", "RemoteCertificateNameMismatch", "RemoteCertificateNameMismatch")]
    [InlineData("expired", "NotTimeValid", "NotTimeValid")]
    public async Task ServerCertificate_Refused_SaysWhyAndIsPermanent(string fault, string reason, string orReason)
    {
        var certificate = fault switch { "name" => Certificates.OtherName, "expired" => Certificates.Expired, _ => Certificates.Server };
        await using var app = await StartAsync(certificate, SslProtocols.None);
        var trust = fault != "untrusted";
        var path = "/ws?access_token=s3cr3t";

        var error = (await FluentActions.Awaiting(() => WebSocketClient.ConnectAsync(Uri(app, path), SocketOptions(1, trust: trust), Until.Cancelled)).Should().ThrowAsync<WebSocketConnectException>()).Which;
        error.RequestError.Should().Be(HttpRequestError.SecureConnectionError);
        error.IsTransient.Should().BeFalse();
        (error.Message.Contains(reason, StringComparison.Ordinal) || error.Message.Contains(orReason, StringComparison.Ordinal)).Should().BeTrue(error.Message);
        error.ToString().Should().NotContain("s3cr3t");

        var attempts = 0;
        await using var reconnecting = new ReconnectingWebSocket(Uri(app, path), new ReconnectingWebSocketOptions
        {
            OnConnecting = (attempt, _) =>
            {
                attempts++;
                attempt.Options.SslOptions = Ssl(null, trust);
                return default;
            },
        });
        await FluentActions.Awaiting(async () => await reconnecting.ReadAllAsync(Until.Cancelled).GetAsyncEnumerator(Until.Cancelled).MoveNextAsync()).Should().ThrowAsync<WebSocketConnectException>();
        attempts.Should().Be(1);

        var failed = (await FluentActions.Awaiting(async () => await Events(app, path, 1, trust: trust).ReadAllAsync(Until.Cancelled).GetAsyncEnumerator(Until.Cancelled).MoveNextAsync())
            .Should().ThrowAsync<ServerSentEventClientException>()).Which;
        failed.Error.Should().Be(ServerSentEventClientError.Certificate);
        failed.IsTransient.Should().BeFalse();
        (failed.Message.Contains(reason, StringComparison.Ordinal) || failed.Message.Contains(orReason, StringComparison.Ordinal)).Should().BeTrue(failed.Message);
        failed.ToString().Should().NotContain("s3cr3t");
    }

    private static Uri Uri(WebApplication app, string path) => new($"https://localhost:{new Uri(app.Urls.Single()).Port}{path}");

    private static WebSocketClientOptions SocketOptions(int http, X509CertificateCollection? client = null, bool trust = true) => new()
    {
        HttpVersion = http == 2 ? HttpVersion.Version20 : HttpVersion.Version11,
        HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        SslOptions = Ssl(client, trust),
    };

    private static ServerSentEventClient Events(WebApplication app, string path, int http, X509CertificateCollection? client = null, bool trust = true) => new(
        new HttpClient(new SocketsHttpHandler { SslOptions = Ssl(client, trust) }) { Timeout = Timeout.InfiniteTimeSpan },
        Uri(app, path),
        new ServerSentEventClientOptions
        {
            ConfigureRequest = (request, _) =>
            {
                request.Version = http == 2 ? HttpVersion.Version20 : HttpVersion.Version11;
                request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
                return default;
            },
        });

    // The check is the platform's own, with one more root: nothing here says yes by itself.
    private static SslClientAuthenticationOptions Ssl(X509CertificateCollection? client, bool trust) => new()
    {
        ClientCertificates = client,
        CertificateChainPolicy = trust
            ? new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { Certificates.Root }, RevocationMode = X509RevocationMode.NoCheck }
            : null,
    };

    private static async Task<WebApplication> StartAsync(X509Certificate2 certificate, SslProtocols protocols, ClientCertificateMode mode = ClientCertificateMode.NoCertificate)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddTopics();
        builder.WebHost.ConfigureKestrel(server => server.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = HttpProtocols.Http1AndHttp2;   // by ALPN
            listen.UseHttps(https =>
            {
                https.ServerCertificate = certificate;
                https.SslProtocols = protocols;
                https.ClientCertificateMode = mode;
                https.ClientCertificateValidation = static (client, _, _) => client.Thumbprint == Certificates.Client.Thumbprint;
            });
        }));
        var app = builder.Build();
        app.MapWebSocket("/ws", Handlers.EchoAsync);
        app.MapWebSocket("/who", static async (WebSocketConnection connection, HttpContext http) =>
            await connection.SendAsync(Encoding.UTF8.GetBytes(http.Connection.ClientCertificate?.Subject ?? "none"), WebSocketMessageType.Text));
        app.MapTopics("/live");
        app.MapServerSentEvents("/sse", static async (events, request, http, closed) =>
        {
            var tls = http.Features.Get<Microsoft.AspNetCore.Connections.Features.ITlsHandshakeFeature>()!;
            await events.WriteAsync($"{http.Request.Protocol} {tls.Protocol} {http.Connection.ClientCertificate?.Subject ?? "none"}", cancellationToken: closed);
        });
        await app.StartAsync(Until.Cancelled);
        return app;
    }
}
