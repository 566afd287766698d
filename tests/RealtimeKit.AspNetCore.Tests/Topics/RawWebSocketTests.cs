using System.Net.WebSockets;
using RealtimeKit.WebSockets;

namespace RealtimeKit.AspNetCore.Tests.Topics;

public class RawWebSocketTests
{
    [Fact(Timeout = Until.Bound)]
    public async Task Subscribe_CompressionAgreedOn_MessagesAreWhole()
    {
        await using var server = await TopicsServer.StartAsync(Wire.Pipes, endpoint: options => options.WebSockets.Compression = new PerMessageDeflateOptions());
        using var compressed = await server.ConnectAsync("/live?topic=a", options => options.DangerousDeflateOptions = new WebSocketDeflateOptions());
        using var plain = await server.ConnectAsync("/live?topic=a");
        var text = string.Concat(Enumerable.Range(0, 1000).Select(i => $"{{\"n\":{i}}}"));
        for (var i = 0; i < 3; i++)
            await server.Hub().PublishAsync("a", text);
        for (var i = 0; i < 3; i++)
        {
            (await compressed.ReceiveTextAsync()).Should().Be(text);
            (await plain.ReceiveTextAsync()).Should().Be(text);
        }
    }
}
