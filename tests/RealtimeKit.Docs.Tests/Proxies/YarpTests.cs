using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace RealtimeKit.Docs.Tests;

/// <summary>YARP with the configuration of docs/proxies.md, on a Kestrel of its own in this process.</summary>
public class YarpTests(YarpTests.Yarp proxy) : ProxyCases<YarpTests.Yarp>(proxy)
{
    public sealed class Yarp : ProxyFixture
    {
        protected override async Task<(IAsyncDisposable, int)> StartProxyAsync(int applicationPort)
        {
            var documented = Adapt(Blocks("json").Single(), ("127.0.0.1:5080", $"127.0.0.1:{applicationPort}"), ("00:01:40", $"00:00:0{IdleSeconds}"));
            var site = await Site.StartAsync(app => app.MapReverseProxy(), builder =>
            {
                builder.Configuration.AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(documented)));
                builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureEndpointDefaults(listen => listen.UseHttps(TestCertificate.Instance)));
                builder.Services.AddReverseProxy().LoadFromConfig(builder.Configuration.GetSection("ReverseProxy"));
            });
            return (site, site.Address.Port);
        }
    }
}
