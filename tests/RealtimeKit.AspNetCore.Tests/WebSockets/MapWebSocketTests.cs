using System.Net;
using System.Net.WebSockets;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using RealtimeKit.AspNetCore.Tests.Client;
using RealtimeKit.WebSockets;
using WebSocketClient = RealtimeKit.WebSockets.WebSocketClient;

namespace RealtimeKit.AspNetCore.Tests.WebSockets;

public class MapWebSocketTests
{
    public static TheoryData<Wire> AllWires => Wires.All;

    [Theory(Timeout = Until.Bound), InlineData(Wire.Http2), InlineData(Wire.Http2Tls)]
    public async Task Echo_MoreThanTheRequestBodyLimitOverHttp2_GoesOn(Wire wire)
    {
        // Kestrel's limit on request bodies, 30 MB by default, is set low: a WebSocket has no body.
        await using var server = await TestServerHost.StartAsync(
            wire, app => app.MapWebSocket("/ws", Handlers.EchoAsync), kestrel: options => options.Limits.MaxRequestBodySize = 100_000);
        using var client = await server.ConnectAsync();
        var payload = new byte[50_000];
        for (var i = 0; i < 10; i++)
        {
            await client.SendAsync(payload, WebSocketMessageType.Binary, true, Until.Cancelled);
            (await client.ReceiveMessageAsync()).Payload.Should().HaveCount(payload.Length);
        }
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Map_WithHttpContext_SeesRouteAndUser(Wire wire)
    {
        await using var server = await TestServerHost.StartAsync(wire, app =>
            app.MapWebSocket("/rooms/{room}", async (connection, http) => await connection.SendAsync($"{http.GetRouteValue("room")} {http.Request.Protocol}")));
        using var client = await server.ConnectAsync("/rooms/blue");
        (await client.ReceiveTextAsync()).Should().Be($"blue {(wire.IsHttp2() ? "HTTP/2" : "HTTP/1.1")}");

        // A handler that returns closes the connection with 1000.
        (await client.ReceiveMessageAsync()).Type.Should().Be(WebSocketMessageType.Close);
        client.CloseStatus.Should().Be(WebSocketCloseStatus.NormalClosure);
        await client.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, Until.Cancelled);
    }

    [Theory(Timeout = Until.Bound), InlineData(Wire.Pipes), InlineData(Wire.Http2)]
    public async Task Map_RequireAuthorization_RefusesStrangers(Wire wire)
    {
        await using var server = await TestServerHost.StartAsync(
            wire,
            app => app.MapWebSocket("/ws", async (connection, http) => await connection.SendAsync(http.User.Identity!.Name!)).RequireAuthorization(),
            builder =>
            {
                builder.Services.AddAuthentication("Name").AddScheme<AuthenticationSchemeOptions, NameHandler>("Name", null);
                builder.Services.AddAuthorization();
            });

        using var stranger = new ClientWebSocket();
        var connect = () => server.ConnectAsync();
        (await connect.Should().ThrowAsync<WebSocketException>()).WithMessage("*401*");

        using var friend = await server.ConnectAsync(configure: options => options.SetRequestHeader("X-Name", "Ada"));
        (await friend.ReceiveTextAsync()).Should().Be("Ada");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Map_EndpointFilter_RunsBeforeTheHandshake()
    {
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, app =>
            app.MapWebSocket("/ws", Handlers.EchoAsync).AddEndpointFilter(async (context, next) =>
                context.HttpContext.Request.Query.ContainsKey("ticket") ? await next(context) : Results.StatusCode(418)));

        var connect = () => server.ConnectAsync();
        (await connect.Should().ThrowAsync<WebSocketException>()).WithMessage("*418*");
        using var client = await server.ConnectAsync("/ws?ticket=1");
        await client.SendTextAsync("hello");
        (await client.ReceiveTextAsync()).Should().Be("hello");
        await client.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Until.Cancelled);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Map_CorsAndRateLimitConventions_AreApplied()
    {
        await using var server = await TestServerHost.StartAsync(
            Wire.Pipes,
            app =>
            {
                app.UseCors();
                app.UseRateLimiter();
                app.MapWebSocket("/ws", new WebSocketEndpointOptions { Origins = OriginPolicy.Only("https://app.example") }, Handlers.EchoAsync)
                    .RequireCors("app").RequireRateLimiting("one");
            },
            builder =>
            {
                builder.Services.AddCors(cors => cors.AddPolicy("app", policy => policy.WithOrigins("https://app.example")));
                builder.Services.AddRateLimiter(limiter => limiter.AddConcurrencyLimiter("one", options => options.PermitLimit = 1));
            });

        await using var first = await server.ConnectRawAsync("/ws", "Origin: https://app.example");
        first.StatusCode.Should().Be(101);
        first.Head.Should().Contain("access-control-allow-origin: https://app.example");
        await using var second = await server.ConnectRawAsync("/ws", "Origin: https://app.example");
        second.StatusCode.Should().Be(503, "the permit is held as long as the connection lives");
    }

    [Theory(Timeout = Until.Bound), InlineData(Wire.Pipes), InlineData(Wire.Http2)]
    public async Task Map_RequestTimeouts_DoNotReachAConnection(Wire wire)
    {
        await using var server = await TestServerHost.StartAsync(
            wire,
            app =>
            {
                app.UseRequestTimeouts();
                app.MapWebSocket("/ws", async (connection, http) =>
                {
                    var message = await connection.ReceiveAsync(http.RequestAborted);
                    await connection.SendAsync(message.Payload, message.Type);
                }).WithRequestTimeout(TimeSpan.FromSeconds(3));
            },
            builder => builder.Services.AddRequestTimeouts());

        using var client = await server.ConnectAsync();
        await Task.Delay(3500, Until.Cancelled);   // longer than the deadline that must not count
        await client.SendTextAsync("still here");
        (await client.ReceiveTextAsync()).Should().Be("still here");
    }

    // The clock stands still, and with it the wheel, which looks again where nobody does.
    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Handler_WaitsForSomethingElseFirst_PingIsAnsweredAtOnce(Wire wire)
    {
        var mayReceive = new TaskCompletionSource();
        await using var server = await TestServerHost.StartAsync(
            wire,
            async connection =>
            {
                await mayReceive.Task;
                await Handlers.EchoAsync(connection);
            },
            options => options.Connection.TimeProvider = new FakeTimeProvider());
        await using var client = await WebSocketClient.ConnectAsync(server.Uri(), WebSocketClientTests.OptionsFor(wire), Until.Cancelled);
        await client.SendAsync("waits", Until.Cancelled);
        await client.PingAsync(Until.Cancelled);
        mayReceive.SetResult();
        (await client.ReceiveAsync(Until.Cancelled)).GetText().Should().Be("waits");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Map_Endpoint_TakesGetAndConnectAndNamesItself()
    {
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, Handlers.EchoAsync);
        var endpoint = server.App.Services.GetRequiredService<EndpointDataSource>().Endpoints.Should().ContainSingle().Subject;
        endpoint.DisplayName.Should().Be("WebSocket /ws");
        endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods.Should().BeEquivalentTo("GET", "CONNECT");
    }

    [Fact]
    public void Map_Options_AreCopied()
    {
        var options = new WebSocketEndpointOptions { SubProtocols = ["a"], Connection = { MaxMessageSize = 1000 } };
        var copy = options.Copy();
        options.Connection.MaxMessageSize = 2000;
        options.SubProtocols = ["b"];
        options.Origins = OriginPolicy.Any;
        copy.Connection.MaxMessageSize.Should().Be(1000);
        copy.SubProtocols.Should().Equal("a");
        copy.Origins.Should().BeSameAs(OriginPolicy.SameOrigin);
    }

    private sealed class NameHandler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            var name = Request.Headers["X-Name"].ToString();
            return Task.FromResult(name.Length == 0
                ? AuthenticateResult.NoResult()
                : AuthenticateResult.Success(new AuthenticationTicket(
                    new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.Name, name)], "Name")), "Name")));
        }
    }
}
