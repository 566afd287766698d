using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Claims;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RealtimeKit.AspNetCore;

namespace RealtimeKit.Docs.Tests;

/// <summary>A site whose users come with <c>Authorization: Bearer NAME</c> to get a ticket, and connect with that.</summary>
internal static class TicketSite
{
    public static Task<Site> StartAsync(Action<WebApplication>? map = null) => Site.StartAsync(
        app =>
        {
            app.MapTickets("/tickets");
            app.MapTopics("/live").RequireTicket();
            map?.Invoke(app);
        },
        builder =>
        {
            builder.Services.AddTopics();
            builder.Services.AddAuthentication("Bearer").AddScheme<AuthenticationSchemeOptions, NameAuthentication>("Bearer", null)
                .AddTickets(options => options.Endpoints = ["/live", "/chat"]);
            builder.Services.AddAuthorization();
        });

    public static async Task<string> TicketAsync(Site site, string endpoint)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, site.Uri("/tickets")) { Content = JsonContent.Create(new { endpoint }) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "ann");
        using var response = await site.Http.SendAsync(request, Until.Cancelled);
        return (await response.Content.ReadFromJsonAsync<JsonElement>(Until.Cancelled)).GetProperty("ticket").GetString()!;
    }

    private sealed class NameAuthentication(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync() =>
            Task.FromResult(AuthenticationHeaderValue.TryParse(Request.Headers.Authorization, out var header) && header.Parameter is { } name
                ? AuthenticateResult.Success(new AuthenticationTicket(
                    new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, name)], "Bearer")), "Bearer"))
                : AuthenticateResult.NoResult());
    }
}
