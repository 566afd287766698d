using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using RealtimeKit.AspNetCore.Tests.WebSockets;

namespace RealtimeKit.AspNetCore.Tests.Topics;

public class SecurityTests
{
    private const string Page = "https://page.example";

    [Fact(Timeout = Until.Bound)]
    public async Task Authorization_OfTheBuilder_HoldsForAllButPreflights()
    {
        await using var server = await TestServerHost.StartAsync(
            Wire.Pipes,
            app =>
            {
                app.UseAuthentication();
                app.UseAuthorization();
                app.MapTopics("/live", options => options.Origins = OriginPolicy.Only(Page)).RequireAuthorization();
            },
            builder =>
            {
                builder.Services.AddAuthentication("Cookies").AddCookie("Cookies", options => options.Events.OnRedirectToLogin = context =>
                {
                    context.Response.StatusCode = 401;
                    return Task.CompletedTask;
                });
                builder.Services.AddAuthorization();
                builder.Services.AddTopics();
            });
        var origin = ("Origin", Page);
        (await server.ConnectStatusAsync("/live?topic=a", origin)).Should().Be(401);
        (await TopicEvents.StatusAsync(server, "/live?topic=a", origin)).Should().Be(401);
        using var publish = await server.PostAsync("/live/a", "x", origin);
        publish.StatusCode.Should().Be(HttpStatusCode.Unauthorized);
        using var change = await server.PostAsync("/live", "{}", origin);
        change.StatusCode.Should().Be(HttpStatusCode.Unauthorized);
        using var preflight = await server.SendAsync(HttpMethod.Options, "/live", null, origin, ("Access-Control-Request-Method", "POST"));
        preflight.StatusCode.Should().Be(HttpStatusCode.NoContent);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Conventions_OfTheBuilder_HoldForAllOfIt()
    {
        await using var server = await TestServerHost.StartAsync(
            Wire.Pipes,
            app => app.MapTopics("/live").Add(endpoint =>
            {
                var inner = endpoint.RequestDelegate!;
                endpoint.RequestDelegate = context =>
                {
                    context.Response.Headers["X-Seen"] = "1";
                    return inner(context);
                };
            }),
            builder => builder.Services.AddTopics());
        foreach (var response in new[]
        {
            await server.PostAsync("/live", "{}"), await server.PostAsync("/live/a", "x"),
            await server.SendAsync(HttpMethod.Get, "/live?topic=a", null, ("Accept", "application/json")),
        })
        {
            response.Headers.Contains("X-Seen").Should().BeTrue();
            response.Dispose();
        }
    }
}
