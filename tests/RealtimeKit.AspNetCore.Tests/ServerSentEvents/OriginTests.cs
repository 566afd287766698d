using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using RealtimeKit.AspNetCore.Tests.WebSockets;

namespace RealtimeKit.AspNetCore.Tests.ServerSentEvents;

public class OriginTests
{
    private const string Page = "https://page.example";

    [Fact(Timeout = Until.Bound)]
    public async Task Origin_CorsMiddlewareAllowsItToo_HeadersAreSaidOnce()
    {
        var options = new ServerSentEventEndpointOptions { Origins = OriginPolicy.Only(Page) };
        await using var server = await TestServerHost.StartAsync(
            Wire.Pipes,
            app =>
            {
                app.UseCors();
                app.MapServerSentEvents("/sse", options, (_, cancel) => Task.Delay(Timeout.Infinite, cancel))
                    .RequireCors(policy => policy.WithOrigins(Page, "https://b.example").AllowCredentials());
            },
            builder => builder.Services.AddCors());
        using var stream = await EventStream.OpenedAsync(server, "/sse", ("Origin", Page));
        stream.Response.Headers.GetValues("Access-Control-Allow-Origin").Should().Equal(Page);
        stream.Response.Headers.GetValues("Access-Control-Allow-Credentials").Should().Equal("true");
    }

    private static Task<TestServerHost> StartAsync(Wire wire, ServerSentEventEndpointOptions options) =>
        TestServerHost.StartAsync(wire, app => app.MapServerSentEvents("/sse", options, (_, cancel) => Task.Delay(Timeout.Infinite, cancel)));
}
