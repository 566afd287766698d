using System.Net.WebSockets;
using Microsoft.Extensions.Logging;

namespace RealtimeKit.Tests;

/// <summary>What an application decides before a handshake is answered.</summary>
public class WebSocketAcceptCases
{
    public static TheoryData<Wire> AllWires => Wires.All;

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Accept_SaysNo_RefusesWithItsStatusOr403(Wire wire)
    {
        var served = 0;
        await using var server = await TestServerHost.StartAsync(wire, connection => Task.FromResult(++served), options => options.Accept = async (_, context) =>
        {
            await Task.Yield();
            if (context.Request.Headers["X-Status"] is var status && int.TryParse($"{status}", out var code))
                context.Response.StatusCode = code;
            return false;
        });
        foreach (var (header, status) in new[] { ("429", 429), ("503", 503), ("none", 403) })
            (await FluentActions.Awaiting(() => server.ConnectAsync(configure: options => options.SetRequestHeader("X-Status", header))).Should().ThrowAsync<WebSocketException>())
                .WithMessage($"*'{status}'*");
        served.Should().Be(0);
        server.Logs.Ours.Where(record => record.Event.Name == "HandshakeRefused").Should().HaveCount(3).And.OnlyContain(record => record.Level == LogLevel.Information);
    }

    // RFC 6455 §4.2.2 item 5: any of the client's, or none.
    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Accept_ChoosesTheSubProtocol_IsAnsweredAndTheConnections(Wire wire)
    {
        await using var server = await TestServerHost.StartAsync(wire, async connection => await connection.SendAsync(connection.SubProtocol ?? "none"), options =>
        {
            options.SubProtocols = ["a"];
            options.Accept = (offer, context) =>
            {
                $"{context.Request.Headers["X-Proposed"]}".Should().Be(offer.SubProtocol ?? "none");
                var wanted = $"{context.Request.Headers["X-Wanted"]}";
                if (wanted.Length > 0)
                    offer.SubProtocol = wanted == "none" ? null : wanted;
                return ValueTask.FromResult(true);
            };
        });
        foreach (var (offered, wanted, proposed, chosen) in new[] { ("b,a,token.x", "", "a", "a"), ("b,a,token.x", "token.x", "a", "token.x"), ("b,a", "none", "a", null), ("b", "", "none", null) })
        {
            using var client = await server.ConnectAsync(configure: options =>
            {
                foreach (var name in offered.Split(','))
                    options.AddSubProtocol(name);
                options.SetRequestHeader("X-Proposed", proposed);
                options.SetRequestHeader("X-Wanted", wanted);
            });
            client.SubProtocol.Should().Be(chosen);
            (await client.ReceiveTextAsync()).Should().Be(chosen ?? "none");
        }
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Accept_Throws_Is500AndNoConnection(Wire wire)
    {
        await using var server = await TestServerHost.StartAsync(wire, _ => Task.CompletedTask, options => options.Accept = (offer, _) =>
        {
            offer.SubProtocols.Should().Equal("a");
            offer.SubProtocol = "b";
            return ValueTask.FromResult(true);
        });
        (await FluentActions.Awaiting(() => server.ConnectAsync(configure: options => options.AddSubProtocol("a"))).Should().ThrowAsync<WebSocketException>())
            .WithMessage("*'500'*", "a subprotocol that the client does not offer would have to fail the connection");
    }

    // RFC 6455 §10.2: nothing runs on behalf of a page that may not connect.
    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Accept_PageOfAnotherOrigin_IsNotAsked(Wire wire)
    {
        var asked = 0;
        await using var server = await TestServerHost.StartAsync(wire, _ => Task.CompletedTask, options => options.Accept = (_, _) => ValueTask.FromResult(++asked > 0));
        (await FluentActions.Awaiting(() => server.ConnectAsync(configure: options => options.SetRequestHeader("Origin", "https://elsewhere.example"))).Should().ThrowAsync<WebSocketException>())
            .WithMessage("*'403'*");
        asked.Should().Be(0);
        using var client = await server.ConnectAsync();
        asked.Should().Be(1);
    }
}
