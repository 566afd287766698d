using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using RealtimeKit.AspNetCore.Tests.WebSockets;
using RealtimeKit.WebSockets;

namespace RealtimeKit.AspNetCore.Tests.Client;

public class ReconnectTests
{
    [Theory(Timeout = Until.Bound), InlineData(Wire.Pipes), InlineData(Wire.Http2Tls)]
    public async Task ReadAllAsync_ServerDropsEveryConnection_GoesOnWithNewTokens(Wire wire)
    {
        var tokens = new List<string>();
        await using var server = await TestServerHost.StartAsync(wire, app =>
        {
            app.Use(async (http, next) =>
            {
                var token = http.Request.Headers.Authorization.ToString();
                lock (tokens)
                    tokens.Add(token);
                // Every token is good once.
                if (tokens.Count(used => used == token) == 1)
                    await next(http);
                else
                    http.Response.StatusCode = 401;
            });
            app.MapWebSocket("/ws", async (connection, http) =>
            {
                await connection.SendAsync(http.Request.Headers.Authorization.ToString());
                await connection.ReceiveAsync();
                connection.Abort();
            });
        });
        var client = WebSocketClientTests.OptionsFor(wire);
        var options = new ReconnectingWebSocketOptions { MinDelay = TimeSpan.FromMilliseconds(10), MaxDelay = TimeSpan.FromMilliseconds(20) };
        options.Client.HttpVersion = client.HttpVersion;
        options.Client.HttpVersionPolicy = client.HttpVersionPolicy;
        options.Client.SslOptions = client.SslOptions;
        var token = 0;
        options.OnConnecting = (attempt, _) =>
        {
            // A new one only where the old one was refused.
            if (attempt.LastError is WebSocketConnectException { StatusCode: System.Net.HttpStatusCode.Unauthorized })
                token++;
            attempt.Options.SetHeader("Authorization", $"token {token}");
            return default;
        };
        await using var socket = new ReconnectingWebSocket(server.Uri(), options);
        var received = new List<string>();
        await foreach (var message in socket.ReadAllAsync(Until.Cancelled))
        {
            received.Add(message.GetText());
            if (received.Count == 4)
                break;
            await socket.SendAsync("drop me", Until.Cancelled);
        }

        received.Should().Equal("token 0", "token 1", "token 2", "token 3");
    }
}
