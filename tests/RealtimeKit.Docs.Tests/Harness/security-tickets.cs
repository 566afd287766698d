using System.Net;
using System.Net.Http.Json;
using System.Security.Claims;
using System.Text.Json;
using Microsoft.AspNetCore.Authentication;
using RealtimeKit.AspNetCore;
using RealtimeKit.Redis.Tests;
using RealtimeKit.WebSockets;

static class Check
{
    public static async Task RunAsync(CancellationToken cancel)
    {
        await using var redis = await RedisServer.StartAsync();
        Site.UseForSnippets("localhost:6379", redis.ConnectionString);
        await using var site = await Site.StartAsync(Build);
        (await site.Http.PostAsJsonAsync(site.Uri("/tickets"), new { endpoint = "/live" }, cancel)).StatusCode.Should().Be(HttpStatusCode.Unauthorized);
        (await site.Http.PostAsync(site.Uri("/login"), null, cancel)).EnsureSuccessStatusCode();

        var answer = await site.Http.PostAsJsonAsync(site.Uri("/tickets"), new { endpoint = "/live" }, cancel);
        var ticket = (await answer.Content.ReadFromJsonAsync<JsonElement>(cancel)).GetProperty("ticket").GetString();
        await using (await WebSocketClient.ConnectAsync(site.Ws($"/live?topic=a&ticket={ticket}"), null, cancel))
        {
        }

        var again = () => WebSocketClient.ConnectAsync(site.Ws($"/live?topic=a&ticket={ticket}"), null, cancel);
        (await again.Should().ThrowAsync<WebSocketConnectException>()).Which.StatusCode.Should().Be(HttpStatusCode.Unauthorized, "it was used");
    }

    private static WebApplication Build(WebApplicationBuilder builder)
    {
        builder.Services.AddTopics();
/*SNIPPET*/
        app.MapPost("/login", context => context.SignInAsync(
            "Cookies", new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, "ann")], "Cookies"))));
        return app;
    }
}
