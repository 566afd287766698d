using System.Net;
using System.Net.WebSockets;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;
using RealtimeKit.AspNetCore;
using RealtimeKit.WebSockets;

static class Check
{
    public static async Task RunAsync(CancellationToken cancel)
    {
        await using var site = await Site.StartAsync(
            app =>
            {
/*SNIPPET*/
            },
            builder =>
            {
                builder.Services.AddAuthentication("header").AddScheme<AuthenticationSchemeOptions, HeaderAuthentication>("header", null);
                builder.Services.AddAuthorization();
            });
        (await RefusalAsync(site, null, null)).Should().Be(HttpStatusCode.Unauthorized);
        (await RefusalAsync(site, "ann", "https://elsewhere.example")).Should().Be(HttpStatusCode.Forbidden);
        await using var socket = await WebSocketClient.ConnectAsync(site.Ws("/chat"), Options("ann", "https://example.com"), cancel);
        socket.SubProtocol.Should().Be("chat.v1", "the first of the client's that the endpoint knows");
        await socket.SendAsync("hi", cancel);
        (await socket.ReceiveAsync(cancel)).GetText().Should().Be("hi");
        await socket.SendAsync(new string('x', 64 * 1024 + 1), cancel);
        await foreach (var _ in socket.ReadAllAsync(cancel))
        {
        }

        socket.CloseResult!.Value.Status.Should().Be(WebSocketCloseStatus.MessageTooBig);
    }

    private static async Task<HttpStatusCode?> RefusalAsync(Site site, string? user, string? origin)
    {
        var connect = () => WebSocketClient.ConnectAsync(site.Ws("/chat"), Options(user, origin), Until.Cancelled);
        return (await connect.Should().ThrowAsync<WebSocketConnectException>()).Which.StatusCode;
    }

    private static WebSocketClientOptions Options(string? user, string? origin)
    {
        var options = new WebSocketClientOptions { SubProtocols = ["chat.v1", "chat.v2"] };
        options.SetHeader("X-User", user);
        options.SetHeader("Origin", origin);
        return options;
    }

    private sealed class HeaderAuthentication(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync() => Task.FromResult(Request.Headers["X-User"] is { Count: 1 } name
            ? AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.Name, name!)], "header")), "header"))
            : AuthenticateResult.NoResult());
    }
}
