using System.Net.WebSockets;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using RealtimeKit.AspNetCore.Tests.WebSockets;
using RealtimeKit.WebSockets;

namespace RealtimeKit.AspNetCore.Tests.Client;

/// <summary>
/// SignalR, both sides of which take a <see cref="WebSocket"/>: its client by a factory, its server by the feature of the request. Each runs
/// on <see cref="WebSocketConnection.AsWebSocket"/> or on the framework's own sockets.
/// </summary>
public class SignalRTests
{
    [Theory(Timeout = Until.Bound)]
    [InlineData(true, true, false)]
    [InlineData(true, true, true)]
    [InlineData(true, false, false)]
    [InlineData(false, true, false)]
    public async Task Hub_OverTheBridges_CallsStreamsAndStops(bool isOurServer, bool isOurClient, bool compresses)
    {
        var compression = compresses ? new PerMessageDeflateOptions { ServerContextTakeover = true, ClientContextTakeover = true } : null;
        var gone = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        WebSocketConnection? accepted = null;
        await using var server = await TestServerHost.StartAsync(
            Wire.Pipes,
            app =>
            {
                if (isOurServer)
                {
                    app.Use((context, next) =>
                    {
                        context.Features.Set<IHttpWebSocketFeature>(new OurSockets(context, compression, connection => accepted = connection));
                        return next(context);
                    });
                }

                app.MapHub<EchoHub>("/hub", options => options.Transports = HttpTransportType.WebSockets);
            },
            builder =>
            {
                builder.Services.AddSignalR(options => options.MaximumReceiveMessageSize = null);
                builder.Services.AddSingleton(gone);
            });

        var client = new HubConnectionBuilder().WithUrl(server.HttpUri("/hub"), options =>
        {
            options.Transports = HttpTransportType.WebSockets;
            options.SkipNegotiation = true;
            if (isOurClient)
                options.WebSocketFactory = async (context, cancel) =>
                {
                    var connect = new WebSocketClientOptions { UseProxy = false, Connection = { Compression = compression } };
                    return (await WebSocketClient.ConnectAsync(context.Uri, connect, cancel)).AsWebSocket();
                };
        }).Build();
        await using (client)
        {
            var pushed = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
            client.On<string>("Pushed", pushed.SetResult);
            await client.StartAsync(Until.Cancelled);
            foreach (var size in (int[])[0, 1, 100, 5_000, 200_000])
            {
                var text = string.Concat(Enumerable.Repeat("größer ", size / 7 + 1))[..size];
                (await client.InvokeAsync<string>("Echo", text, Until.Cancelled)).Should().Be(text);
            }

            // Many at once: SignalR sends under a lock of its own, and answers come in any order.
            var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => client.InvokeAsync<string>("Echo", $"{i}", Until.Cancelled)));
            answers.Should().Equal(Enumerable.Range(0, 200).Select(i => $"{i}"));
            (await client.StreamAsync<int>("Count", 500, Until.Cancelled).ToListAsync(Until.Cancelled)).Should().Equal(Enumerable.Range(0, 500));
            await client.InvokeAsync("Push", "hello", Until.Cancelled);
            (await pushed.Task.WaitAsync(Until.Cancelled)).Should().Be("hello");
            await client.StopAsync(Until.Cancelled);
        }

        (await gone.Task.WaitAsync(Until.Cancelled)).Should().BeNull("the client closed in order");
        if (isOurServer)
        {
            accepted!.Compression.HasValue.Should().Be(compresses && isOurClient);
            await Until.TrueAsync(() => accepted.CloseResult is not null);
            accepted.CloseResult!.Value.Status.Should().Be(WebSocketCloseStatus.NormalClosure);
            accepted.CloseResult!.Value.IsClean.Should().BeTrue();
        }

        server.Logs.Ours.Should().NotContain(record => record.Level > LogLevel.Debug);
    }

#pragma warning disable CA1822 // SignalR calls a hub's methods on an instance.
    private sealed class EchoHub(TaskCompletionSource<Exception?> gone) : Hub
    {
        public string Echo(string text) => text;

        public Task Push(string text) => Clients.Caller.SendAsync("Pushed", text);

        public async IAsyncEnumerable<int> Count(int count, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            for (var i = 0; i < count; i++)
            {
                if (i % 50 == 0)
                    await Task.Yield();
                cancellationToken.ThrowIfCancellationRequested();
                yield return i;
            }
        }

        public override Task OnDisconnectedAsync(Exception? exception)
        {
            gone.SetResult(exception);
            return base.OnDisconnectedAsync(exception);
        }
    }
#pragma warning restore CA1822

    /// <summary>How a framework that asks the request for a WebSocket is given ours.</summary>
    private sealed class OurSockets(HttpContext http, PerMessageDeflateOptions? compression, Action<WebSocketConnection> accepted) : IHttpWebSocketFeature
    {
        public bool IsWebSocketRequest => http.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true };

        public async Task<WebSocket> AcceptAsync(WebSocketAcceptContext context)
        {
            var connection = await http.AcceptWebSocketAsync(new WebSocketEndpointOptions { Compression = compression })
                ?? throw new InvalidOperationException("The handshake was refused.");
            accepted(connection);
            return connection.AsWebSocket();
        }
    }
}
