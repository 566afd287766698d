using System.Net.WebSockets;
using System.Text;
using RealtimeKit.WebSockets;

namespace RealtimeKit.AspNetCore.Tests.WebSockets;

/// <summary>Handlers that block their threads, and so many that the pool has none left but those that it adds.</summary>
[CollectionDefinition(nameof(StarvationTests), DisableParallelization = true)]
[Collection(nameof(StarvationTests))]
public class StarvationTests
{
    [Theory(Timeout = Until.Bound), InlineData(Wire.Pipes)]   // and its seconds are those in which the pool adds threads
    public async Task EveryPoolThreadIsBlocked_PingsAreAnsweredAndTheDrainSaysGoodbye(Wire wire)
    {
        ThreadPool.GetMinThreads(out var workers, out var ports);
        ThreadPool.SetMinThreads(1, ports).Should().BeTrue();
        using var gate = new ManualResetEventSlim();
        var blocked = 0;
        try
        {
            await using var server = await TestServerHost.StartAsync(
                wire,
                async connection =>
                {
                    await foreach (var message in connection.ReadAllAsync())
                    {
                        Interlocked.Increment(ref blocked);
                        gate.Wait();   // what a handler must not do
                    }
                },
                options =>
                {
                    options.Connection.KeepAliveInterval = TimeSpan.FromSeconds(1);
                    options.Connection.KeepAliveTimeout = TimeSpan.FromSeconds(10);
                });
            var clients = new List<RawWebSocket>();
            for (var i = 0; i < 4; i++)
            {
                clients.Add(await server.ConnectRawAsync());
                await clients[i].SendAsync(RawWebSocket.Text("block"));
            }

            await Until.TrueAsync(() => Volatile.Read(ref blocked) == clients.Count);
            foreach (var client in clients)
            {
                await client.SendAsync(RawWebSocket.Frame(9, "still there?"u8));
                RawFrame? frame;
                do
                {
                    frame = await client.ReceiveAsync();
                    frame.Should().NotBeNull("a peer that answers is never given up");
                    if (frame!.Opcode == 9)
                        await client.SendAsync(RawWebSocket.Frame(10, frame.Payload));
                }
                while (frame.Opcode != 10);
                frame.Text.Should().Be("still there?");
            }

            // The host stops while every handler is still blocked.
            var goodbyes = clients.Select(ReceiveCloseAsync).ToArray();
            var stopping = server.App.StopAsync(Until.Cancelled);
            (await Task.WhenAll(goodbyes)).Should().AllBeEquivalentTo(WebSocketCloseStatus.EndpointUnavailable);
            gate.IsSet.Should().BeFalse();
            gate.Set();
            await stopping;
            foreach (var client in clients)
                await client.DisposeAsync();
        }
        finally
        {
            gate.Set();
            ThreadPool.SetMinThreads(workers, ports);
        }
    }

    private static async Task<WebSocketCloseStatus?> ReceiveCloseAsync(RawWebSocket client)
    {
        while (true)
        {
            var frame = await client.ReceiveAsync();
            if (frame is null or { Opcode: 8 })
                return frame?.CloseStatus;
        }
    }
}
