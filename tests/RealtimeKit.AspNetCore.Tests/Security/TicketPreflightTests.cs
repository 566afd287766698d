using System.Net;
using Microsoft.Extensions.DependencyInjection;

namespace RealtimeKit.AspNetCore.Tests.Security;

/// <summary>A front end on an origin of its own that fetches tickets: what its browser is told (Fetch §4.8), with and without ASP.NET Core's CORS middleware.</summary>
public class TicketPreflightTests
{
    private const string Page = "https://page.example";

    public enum Cors
    {
        /// <summary>Only the options of <c>MapTickets</c>.</summary>
        None,

        /// <summary>The middleware too, with nothing to say about this endpoint.</summary>
        Idle,

        /// <summary>The middleware answers for the whole application.</summary>
        Default,

        /// <summary>The endpoint asks for it.</summary>
        Required,
    }

    public static TheoryData<Cors> AllCors => [.. Enum.GetValues<Cors>()];

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllCors))]
    public async Task Preflight_OfAPageThatIsListed_IsAnsweredAndTheRequestFollows(Cors cors)
    {
        await using var server = await StartAsync(cors);
        using (var preflight = await PreflightAsync(server, Page))
        {
            preflight.StatusCode.Should().Be(HttpStatusCode.NoContent);
            Header(preflight, "Access-Control-Allow-Origin").Should().Be(Page);
            Header(preflight, "Access-Control-Allow-Credentials").Should().Be("true");
            Header(preflight, "Access-Control-Allow-Methods").Should().Contain("POST");
            Header(preflight, "Access-Control-Allow-Headers")!.ToLowerInvariant().Should().Contain("content-type").And.Contain("authorization");
        }

        using var response = await server.PostAsync("/away/tickets", """{"endpoint":"/ws"}""", await server.LoginAsync("ann"), ("Origin", Page));
        response.StatusCode.Should().Be(HttpStatusCode.OK);
        Header(response, "Access-Control-Allow-Origin").Should().Be(Page, "once: a browser refuses two");
        Header(response, "Access-Control-Allow-Credentials").Should().Be("true");
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllCors))]
    public async Task Preflight_OfAnotherPage_SharesNothing(Cors cors)
    {
        await using var server = await StartAsync(cors);
        using (var preflight = await PreflightAsync(server, "https://evil.example"))
        {
            // The middleware says nothing; ours says so.
            preflight.StatusCode.Should().Be(cors is Cors.None or Cors.Idle ? HttpStatusCode.Forbidden : HttpStatusCode.NoContent);
            Header(preflight, "Access-Control-Allow-Origin").Should().BeNull();
        }

        using var response = await server.PostAsync("/away/tickets", """{"endpoint":"/ws"}""", await server.LoginAsync("ann"), ("Origin", "https://evil.example"));
        response.StatusCode.Should().Be(HttpStatusCode.Forbidden, "whatever a browser was told, no ticket is issued");
        Header(response, "Access-Control-Allow-Origin").Should().BeNull();
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Preflight_ByDefault_IsForTheSameOriginOnly()
    {
        await using var server = await AccessServer.StartAsync(Wire.Pipes);
        using var preflight = await server.SendAsync(HttpMethod.Options, "/tickets", null, ("Origin", Page), ("Access-Control-Request-Method", "POST"));
        preflight.StatusCode.Should().Be(HttpStatusCode.Forbidden);
        Header(preflight, "Access-Control-Allow-Origin").Should().BeNull();
    }

    private static Task<TestServerHost> StartAsync(Cors cors) => AccessServer.StartAsync(
        Wire.Pipes,
        build: builder =>
        {
            if (cors != Cors.None)
                builder.Services.AddCors(options => options.AddPolicy("page", policy => policy.WithOrigins(Page).AllowCredentials().WithMethods("POST").WithHeaders("content-type", "authorization")));
        },
        map: app =>
        {
            // As Microsoft's documentation has it: whatever answers preflights comes before whatever asks who sends them.
            app.UseRouting();
            if (cors == Cors.Default)
                app.UseCors("page");
            else if (cors != Cors.None)
                app.UseCors();
            app.UseAuthentication();
            app.UseAuthorization();
            var tickets = app.MapTickets("/away/tickets", options =>
            {
                options.Origins = OriginPolicy.Only(Page);
                options.AllowCredentials = true;
            });
            if (cors == Cors.Required)
                tickets.RequireCors("page");
        });

    private static Task<HttpResponseMessage> PreflightAsync(TestServerHost server, string origin) => server.SendAsync(
        HttpMethod.Options, "/away/tickets", null, ("Origin", origin), ("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", "authorization,content-type"));

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? string.Join(" and ", values) : null;
}
