using System.Net.Sockets;

namespace RealtimeKit.AspNetCore.Tests.WebSockets;

[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

/// <summary>What the process allocates per echo, Kestrel included; the client below allocates nothing.</summary>
[Collection(nameof(Alone))]
public class AllocationTests
{
    private const int Messages = 5_000;

    [Theory(Timeout = Until.Bound)]
    [InlineData(Wire.Pipes, 16)]
    [InlineData(Wire.Pipes, 1000)]
    [InlineData(Wire.Pipes, 20_000)]
    [InlineData(Wire.Stream, 16)]
    [InlineData(Wire.Stream, 1000)]
    public async Task Echo_Steady_AllocatesNothingPerMessage(Wire wire, int size)
    {
        await using var server = await TestServerHost.StartAsync(wire, Handlers.EchoAsync);
        await using var client = await server.ConnectRawAsync();
        var message = RawWebSocket.Frame(2, new byte[size]);
        var echo = new byte[message.Length - 4];

        // The runtime's own threads, and pools that fill, allocate now and then: the calmest of several rounds is the steady state.
        var calmest = double.MaxValue;
        for (var round = 0; round < 8; round++)
        {
            var before = GC.GetTotalAllocatedBytes(precise: true);
            await RunAsync(client.Socket, message, echo, Messages);
            calmest = Math.Min(calmest, (GC.GetTotalAllocatedBytes(precise: true) - before) / (double)Messages);
        }

        calmest.Should().BeLessThan(1, "one object for each message would be 24 bytes at least");
    }

    private static async Task RunAsync(Socket socket, byte[] message, byte[] echo, int count)
    {
        for (var i = 0; i < count; i++)
        {
            await socket.SendAsync(message.AsMemory());
            for (var received = 0; received < echo.Length;)
                received += await socket.ReceiveAsync(echo.AsMemory(received));
        }
    }
}
