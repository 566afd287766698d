using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace RealtimeKit.Docs.Tests;

/// <summary>A proxy with the configuration of docs/proxies.md and TLS of its own, and the application behind it.</summary>
public abstract class ProxyFixture : IAsyncLifetime
{
    private IAsyncDisposable? _proxy;

    /// <summary>Where the tests' proxy cuts an idle connection off: after five seconds instead of a minute.</summary>
    protected const int IdleSeconds = 5;

    internal Backend Application { get; private set; } = null!;

    /// <summary>The proxy's port.</summary>
    internal int Port { get; private set; }

    /// <summary>Whether the proxy offers browsers HTTP/2.</summary>
    public virtual bool HasHttp2 => true;

    /// <summary>Whether WebSockets may come over HTTP/2.</summary>
    public virtual bool HasHttp2WebSockets => true;

    /// <summary>Whether the application sees the page's scheme without forwarded headers, as HTTP/2 can say it.</summary>
    public virtual bool PassesSchemeOn => false;

    /// <summary>Why it cannot run here; <see langword="null"/> where it can.</summary>
    internal string? Missing { get; private set; }

    protected virtual HttpProtocols BackendProtocols => HttpProtocols.Http1;

    public async ValueTask InitializeAsync()
    {
        Application = await Backend.StartAsync(BackendProtocols);
        try
        {
            (_proxy, Port) = await StartProxyAsync(Application.Port);
        }
        catch (Exception exception) when (exception.Message.Contains("is not installed", StringComparison.Ordinal))
        {
            // A fixture cannot skip tests.
            Missing = exception.Message.Replace("$XunitDynamicSkip$", "", StringComparison.Ordinal);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_proxy is not null)
            await _proxy.DisposeAsync();
        await Application.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>Starts the proxy before the application on this port.</summary>
    protected abstract Task<(IAsyncDisposable Proxy, int Port)> StartProxyAsync(int applicationPort);

    /// <summary>The blocks of docs/proxies.md in a language, in their order.</summary>
    protected static string[] Blocks(string language) =>
        [.. Documents.Snippets.Where(snippet => snippet.Document == "docs/proxies.md" && snippet.Language == language).Select(snippet => snippet.Text)];

    /// <summary>Replaces what differs in a test, all of which must be there.</summary>
    protected static string Adapt(string configuration, params (string Written, string Here)[] replacements)
    {
        foreach (var (written, here) in replacements)
        {
            configuration.Should().Contain(written);
            configuration = configuration.Replace(written, here, StringComparison.Ordinal);
        }

        return configuration;
    }

    protected static string CertificatePem => TestCertificate.Instance.ExportCertificatePem();

    protected static string KeyPem => TestCertificate.Instance.GetRSAPrivateKey()?.ExportPkcs8PrivateKeyPem() ?? TestCertificate.Instance.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem();
}
