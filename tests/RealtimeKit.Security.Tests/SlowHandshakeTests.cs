using System.Net.Sockets;

namespace RealtimeKit.Security.Tests;

/// <summary>SECURITY.md, slow handshake: peers that take sockets and do not get to the point. The host's own deadline ends them before this library sees a request.</summary>
public class SlowHandshakeTests
{
    [Theory(Timeout = Until.Bound), InlineData(true), InlineData(false)]
    public async Task Handshakes_ThatAreNeverFinished_AreEndedByTheHost(bool isLimited)
    {
        await using var server = await TestServerHost.StartAsync(
            Wire.Pipes,
            app => app.MapWebSocket("/echo", Handlers.EchoAsync),
            kestrel: kestrel => kestrel.Limits.RequestHeadersTimeout = isLimited ? TimeSpan.FromSeconds(1) : TimeSpan.FromHours(1));
        await using var bystander = await Bystander.JoinAsync(server);
        var peers = new List<RawWebSocket>();
        for (var i = 0; i < 100; i++)
        {
            peers.Add(await RawWebSocket.OpenAsync(server.Port, isTls: false));
            await peers[i].Stream.WriteAsync("GET /echo HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nSec-WebSo"u8.ToArray(), Until.Cancelled);
        }

        await bystander.IsServedAsync();
        for (var i = 0; i < 30 && !peers.TrueForAll(IsAnswered); i++)
            await Task.Delay(isLimited ? 500 : 100, Until.Cancelled);
        void AssertEnded() => peers.TrueForAll(IsAnswered).Should().BeTrue();
        if (isLimited)
            AssertEnded();
        else
            Proof.FailsWithoutTheLimit(AssertEnded);
        await bystander.IsServedAsync();
        foreach (var peer in peers)
            await peer.DisposeAsync();

        // 408, or the end of the stream.
        static bool IsAnswered(RawWebSocket peer) => peer.Socket.Poll(0, SelectMode.SelectRead);
    }
}
