using System.Net;
using System.Net.WebSockets;
using Microsoft.Extensions.Logging;

namespace RealtimeKit.Tests;

public class EchoCases
{
    public static TheoryData<Wire> AllWires => Wires.All;

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Echo_ClientWebSocket_GetsEveryMessageBack(Wire wire)
    {
        await using var server = await TestServerHost.StartAsync(wire, Handlers.EchoAsync);
        using var client = await server.ConnectAsync();
        foreach (var size in (int[])[0, 1, 125, 126, 4096, 65_535, 65_536, 1 << 20])
        {
            var payload = new byte[size];
            new Random(size).NextBytes(payload);
            await client.SendAsync(payload, WebSocketMessageType.Binary, true, Until.Cancelled);
            var (type, echoed) = await client.ReceiveMessageAsync();
            type.Should().Be(WebSocketMessageType.Binary);
            echoed.AsSpan().SequenceEqual(payload).Should().BeTrue($"{size} bytes come back as they were sent");
        }

        // RFC 6455 §5.4: fragments arrive as one message.
        await client.SendAsync("Hä"u8.ToArray(), WebSocketMessageType.Text, false, Until.Cancelled);
        await client.SendAsync("l"u8.ToArray(), WebSocketMessageType.Text, false, Until.Cancelled);
        await client.SendAsync("lo"u8.ToArray(), WebSocketMessageType.Text, true, Until.Cancelled);
        (await client.ReceiveTextAsync()).Should().Be("Hällo");

        await client.CloseAsync(WebSocketCloseStatus.NormalClosure, "bye", Until.Cancelled);
        client.CloseStatus.Should().Be(WebSocketCloseStatus.NormalClosure);
        await Until.TrueAsync(() => server.Logs.Ours.Any(record => record.Event.Name == "Closed"));
        server.Logs.Ours.Should().Contain(record => record.Event.Name == "Closed" && record.Message.Contains("1000 by Remote, clean: True"));
    }
}
