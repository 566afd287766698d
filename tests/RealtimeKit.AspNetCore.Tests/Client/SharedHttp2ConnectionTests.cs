using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using RealtimeKit.AspNetCore.Tests.WebSockets;
using RealtimeKit.WebSockets;

namespace RealtimeKit.AspNetCore.Tests.Client;

/// <summary>WebSockets that share one HTTP/2 connection (RFC 8441 §5): the end of one is not the end of the others.</summary>
public class SharedHttp2ConnectionTests
{
    // What is sent on a stream after its end is an error of the whole connection (RFC 9113 §5.1).
    [Theory(Timeout = Until.Bound), InlineData(Wire.Http2), InlineData(Wire.Http2Tls)]
    public async Task Abort_WhileSending_LeavesTheOthers(Wire wire)
    {
        var carriers = new HashSet<string>();
        await using var server = await TestServerHost.StartAsync(wire, app =>
        {
            app.MapWebSocket("/echo", (connection, http) => NoteAsync(http.Connection.Id, Handlers.EchoAsync(connection)));
            app.MapWebSocket("/ws", (connection, http) => NoteAsync(http.Connection.Id, DiscardAsync(connection)));
        });
        using var invoker = TestServerHost.NewInvoker();
        var options = WebSocketClientTests.OptionsFor(wire);
        options.SslOptions = null;
        options.Invoker = invoker;
        await using var bystander = await WebSocketClient.ConnectAsync(server.Uri("/echo"), options, Until.Cancelled);
        for (var i = 0; i < 20; i++)
        {
            await using var client = await WebSocketClient.ConnectAsync(server.Uri(), options, Until.Cancelled);
            var sent = 0;
            var sending = Task.Run(async () =>
            {
                while (true)
                {
                    await client.SendAsync(new byte[300_000], WebSocketMessageType.Binary, Until.Cancelled);
                    Interlocked.Increment(ref sent);
                }
            });
            await Until.TrueAsync(() => Volatile.Read(ref sent) > i % 5);
            client.Abort();
            await sending.Awaiting(static task => task).Should().ThrowAsync<Exception>();
            await client.DisposeAsync();
            await Until.TrueAsync(() => client.RetainedBytes == 0);   // the write that was under way has ended too
            await bystander.SendAsync($"{i}", Until.Cancelled);
            (await bystander.ReceiveAsync(Until.Cancelled)).GetText().Should().Be($"{i}");
        }

        carriers.Should().ContainSingle();

        Task NoteAsync(string carrier, Task handler)
        {
            lock (carriers)
                carriers.Add(carrier);
            return handler;
        }
    }

    private static async Task DiscardAsync(WebSocketConnection connection)
    {
        await foreach (var _ in connection.ReadAllAsync())
        {
        }
    }
}
