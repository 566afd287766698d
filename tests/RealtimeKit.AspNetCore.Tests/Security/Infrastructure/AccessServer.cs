using System.Net.Http.Json;
using System.Security.Claims;
using System.Text.Json;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.BearerToken;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using RealtimeKit.Topics;
using RealtimeKit.WebSockets;

namespace RealtimeKit.AspNetCore.Tests.Security;

/// <summary>
/// A server where one signs in with a cookie or for a bearer token (POST /login/NAME?for=SECONDS, POST /token/NAME) and fetches tickets; /ws, /sse and
/// /live want one of them, /open wants nothing.
/// </summary>
internal static class AccessServer
{
    public const string Endpoint = "/ws";

    public static Task<TestServerHost> StartAsync(
        Wire wire,
        Action<RealtimeOptions>? realtime = null,
        Action<TicketOptions>? tickets = null,
        FakeTimeProvider? clock = null,
        Func<WebSocketConnection, HttpContext, Task>? handler = null,
        Action<WebApplicationBuilder>? build = null,
        Action<WebApplication>? map = null,
        Action<TopicsOptions>? topics = null) =>
        TestServerHost.StartAsync(
            wire,
            app =>
            {
                app.MapPost("/login/{name}", (string name, double? @for) => Microsoft.AspNetCore.Http.TypedResults.SignIn(
                    User(name), Properties(clock, @for), CookieAuthenticationDefaults.AuthenticationScheme)).AllowAnonymous();
                app.MapPost("/token/{name}", (string name) => Microsoft.AspNetCore.Http.TypedResults.SignIn(
                    User(name), authenticationScheme: BearerTokenDefaults.AuthenticationScheme)).AllowAnonymous();
                app.MapTickets("/tickets").RequireAuthorization(policy => policy
                    .AddAuthenticationSchemes(CookieAuthenticationDefaults.AuthenticationScheme, BearerTokenDefaults.AuthenticationScheme).RequireAuthenticatedUser());
                string[] schemes = [CookieAuthenticationDefaults.AuthenticationScheme, BearerTokenDefaults.AuthenticationScheme];
                app.MapWebSocket("/ws", handler ?? ((connection, _) => Handlers.EchoAsync(connection))).RequireTicket(schemes);
                app.MapServerSentEvents("/sse", async (events, closed) =>
                {
                    await events.WriteAsync("hello", cancellationToken: closed);
                    await Task.Delay(Timeout.Infinite, closed);
                }).RequireTicket(schemes);
                app.MapTopics("/live").RequireTicket(schemes);
                app.MapWebSocket("/open", Handlers.EchoAsync);
                app.MapWebSocket("/admin", Handlers.EchoAsync).RequireAuthorization(policy => policy
                    .AddAuthenticationSchemes(TicketDefaults.AuthenticationScheme, schemes[0]).RequireRole("admin"));
                map?.Invoke(app);
            },
            builder =>
            {
                builder.Services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme)
                    .AddCookie(cookie =>
                    {
                        cookie.TimeProvider = clock;
                        cookie.SlidingExpiration = false;
                    })
                    .AddBearerToken()
                    .AddTickets(options =>
                    {
                        options.Endpoints = ["/ws", "/sse", "/live", "/admin"];
                        options.TimeProvider = (TimeProvider?)clock ?? TimeProvider.System;
                        tickets?.Invoke(options);
                    });
                builder.Services.AddRealtime(options =>
                {
                    options.TimeProvider = (TimeProvider?)clock ?? TimeProvider.System;
                    options.ExpiryGrace = TimeSpan.Zero;
                    realtime?.Invoke(options);
                });
                builder.Services.AddTopics(topics);
                build?.Invoke(builder);
            });

    /// <summary>Signs in and gives the Cookie header.</summary>
    public static async Task<(string Name, string Value)> LoginAsync(this TestServerHost server, string name, double? seconds = null)
    {
        using var response = await server.SendAsync(HttpMethod.Post, $"/login/{name}{(seconds is null ? "" : $"?for={seconds}")}", null);
        response.IsSuccessStatusCode.Should().BeTrue();
        return ("Cookie", string.Join("; ", response.Headers.GetValues("Set-Cookie").Select(cookie => cookie.Split(';')[0])));
    }

    public static async Task<(string Name, string Value)> TokenAsync(this TestServerHost server, string name)
    {
        using var response = await server.SendAsync(HttpMethod.Post, $"/token/{name}", null);
        var json = await response.Content.ReadFromJsonAsync<JsonElement>(Until.Cancelled);
        return ("Authorization", "Bearer " + json.GetProperty("accessToken").GetString());
    }

    public static Task<HttpResponseMessage> AskTicketAsync(this TestServerHost server, string endpoint, params (string Name, string Value)[] headers) =>
        server.PostAsync("/tickets", JsonSerializer.Serialize(new { endpoint }), headers);

    public static async Task<string> TicketAsync(this TestServerHost server, string endpoint, params (string Name, string Value)[] headers)
    {
        using var response = await server.AskTicketAsync(endpoint, headers);
        ((int)response.StatusCode).Should().Be(200);
        response.Headers.CacheControl!.NoStore.Should().BeTrue();
        var json = await response.Content.ReadFromJsonAsync<JsonElement>(Until.Cancelled);
        json.GetProperty("expiresIn").GetInt32().Should().Be(30);
        return json.GetProperty("ticket").GetString()!;
    }

    public static string Origin(this TestServerHost server) => server.HttpUri("/").GetLeftPart(UriPartial.Authority);

    private static ClaimsPrincipal User(string name) => new(new ClaimsIdentity(
        [new Claim(ClaimTypes.NameIdentifier, name), new Claim(ClaimTypes.Role, name == "root" ? "admin" : "user")], "test"));

    private static AuthenticationProperties Properties(FakeTimeProvider? clock, double? seconds) => new()
    {
        ExpiresUtc = seconds is null ? null : ((TimeProvider?)clock ?? TimeProvider.System).GetUtcNow().AddSeconds(seconds.Value),
    };
}
