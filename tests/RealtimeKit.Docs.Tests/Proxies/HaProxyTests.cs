using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace RealtimeKit.Docs.Tests;

/// <summary>HAProxy with the configuration of docs/proxies.md, HTTP/1.1 to the application.</summary>
public class HaProxyTests(HaProxyTests.HaProxy proxy) : ProxyCases<HaProxyTests.HaProxy>(proxy)
{
    public class HaProxy : ProxyFixture
    {
        protected virtual string Documented => Blocks("haproxy")[0];

        protected override async Task<(IAsyncDisposable, int)> StartProxyAsync(int applicationPort)
        {
            var proxy = await ProxyProcess.StartAsync("haproxy", (folder, port) => Configure(folder, port, applicationPort), path => ["-f", path, "-db"]);
            return (proxy, proxy.Port);
        }

        private string Configure(string folder, int port, int applicationPort)
        {
            File.WriteAllText(Path.Combine(folder, "tls.pem"), $"{CertificatePem}\n{KeyPem}\n");
            return Adapt(
                Documented,
                ("bind :443", $"bind 127.0.0.1:{port}"),
                ("127.0.0.1:5080", $"127.0.0.1:{applicationPort}"),
                ("/etc/haproxy/example.com.pem", $"{folder}/tls.pem"),
                ("60s", $"{IdleSeconds}s"));
        }
    }
}

/// <summary>The same with HTTP/2 to the application.</summary>
public class HaProxyHttp2Tests(HaProxyHttp2Tests.HaProxyHttp2 proxy) : ProxyCases<HaProxyHttp2Tests.HaProxyHttp2>(proxy)
{
    public sealed class HaProxyHttp2 : HaProxyTests.HaProxy
    {
        public override bool PassesSchemeOn => true;

        protected override HttpProtocols BackendProtocols => HttpProtocols.Http2;

        // The second block stands for the first one's last section.
        protected override string Documented =>
            Blocks("haproxy")[0] is var first ? first[..(first.IndexOf("\nbackend app\n", StringComparison.Ordinal) + 1)] + Blocks("haproxy")[1] : "";
    }
}
