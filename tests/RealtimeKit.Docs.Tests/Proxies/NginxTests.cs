namespace RealtimeKit.Docs.Tests;

/// <summary>nginx with the configuration of docs/proxies.md.</summary>
public class NginxTests(NginxTests.Nginx proxy) : ProxyCases<NginxTests.Nginx>(proxy)
{
    public sealed class Nginx : ProxyFixture
    {
        public override bool HasHttp2WebSockets => false;

        protected override async Task<(IAsyncDisposable, int)> StartProxyAsync(int applicationPort)
        {
            var proxy = await ProxyProcess.StartAsync("nginx", (folder, port) => Configure(folder, port, applicationPort), path => ["-c", path, "-e", "stderr"]);
            return (proxy, proxy.Port);
        }

        private static string Configure(string folder, int port, int applicationPort)
        {
            File.WriteAllText(Path.Combine(folder, "tls.pem"), CertificatePem);
            File.WriteAllText(Path.Combine(folder, "tls.key"), KeyPem);
            var documented = Adapt(
                Blocks("nginx").Single(),
                ("listen 443 ssl", $"listen 127.0.0.1:{port} ssl"),
                ("127.0.0.1:5080", $"127.0.0.1:{applicationPort}"),
                ("/etc/nginx/example.com.pem", $"{folder}/tls.pem"),
                ("/etc/nginx/example.com.key", $"{folder}/tls.key"),
                ("proxy_read_timeout 60s", $"proxy_read_timeout {IdleSeconds}s"));

            // What Debian's nginx.conf has around it, with files where this user may write. One process, so that it ends when it is killed.
            return $$"""
                daemon off;
                master_process off;
                pid {{folder}}/nginx.pid;
                error_log stderr warn;
                events { worker_connections 1024; }
                http {
                    access_log off;
                    client_body_temp_path {{folder}}/body;
                    proxy_temp_path {{folder}}/proxy;
                    fastcgi_temp_path {{folder}}/fastcgi;
                    uwsgi_temp_path {{folder}}/uwsgi;
                    scgi_temp_path {{folder}}/scgi;
                    gzip on;
                {{documented}}
                }
                """;
        }
    }
}
