using System.Net;
using System.Security.Claims;
using RealtimeKit.Topics;

static class Check
{
    public static async Task RunAsync(CancellationToken cancel)
    {
        await using var site = await Site.StartAsync(Build);
        await using var stream = await EventReader.OpenAsync(site.Uri("/live?topic=scores/7"));
        (await stream.ReadAsync()).EventType.Should().Be("stream");
        (await PublishAsync(site, "eve")).Should().Be(HttpStatusCode.Forbidden);
        (await PublishAsync(site, "referee")).Should().Be(HttpStatusCode.Accepted);
        (await stream.ReadAsync("scores/7")).Data.Should().Be("2:1");
    }

    private static async Task<HttpStatusCode> PublishAsync(Site site, string user)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, site.Uri("/live/scores/7")) { Content = new StringContent("2:1"), Headers = { { "X-User", user } } };
        return (await site.Http.SendAsync(request, Until.Cancelled)).StatusCode;
    }

    private static WebApplication Build(WebApplicationBuilder builder)
    {
        builder.Services.AddTransient<Microsoft.AspNetCore.Hosting.IStartupFilter, HeaderUsers>();
/*SNIPPET*/
        return app;
    }

    private static bool IsReferee(ClaimsPrincipal user) => user.Identity?.Name == "referee";

    private sealed class HeaderUsers : Microsoft.AspNetCore.Hosting.IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use((http, then) =>
            {
                http.User = new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.Name, http.Request.Headers["X-User"].ToString())], "header"));
                return then(http);
            });
            next(app);
        };
    }
}
