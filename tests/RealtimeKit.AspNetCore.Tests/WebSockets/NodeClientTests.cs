namespace RealtimeKit.AspNetCore.Tests.WebSockets;

public class NodeClientTests
{
    public static TheoryData<Wire> Http1Wires => Wires.Http1;

    [Theory(Timeout = Until.Bound), MemberData(nameof(Http1Wires))]
    public async Task Echo_NpmWs_GetsEverythingBack(Wire wire)
    {
        await using var server = await TestServerHost.StartAsync(wire, Handlers.EchoAsync, options => options.SubProtocols = ["b"]);
        await using var node = NodeScript.Start("echo", $"{server.Uri()}", "a", "b");
        var opened = await node.ReadAsync();
        opened.GetProperty("protocol").GetString().Should().Be("b");
        opened.GetProperty("extensions").GetString().Should().BeEmpty("compression is off unless asked for");
        (await node.ReadAsync()).GetProperty("fragments").GetString().Should().Be("one two three");
        (await node.ReadAsync()).GetProperty("pong").GetString().Should().Be("beat");
        var closed = await node.ReadAsync();
        closed.GetProperty("code").GetInt32().Should().Be(4000);
        await node.ExitAsync();
        server.Logs.Ours.Should().NotContain(record => record.Level > Microsoft.Extensions.Logging.LogLevel.Debug);
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(Http1Wires))]
    public async Task Violation_NpmWs_GetsItsEchoAndTheCloseFrame(Wire wire)
    {
        await using var server = await TestServerHost.StartAsync(wire, Handlers.EchoAsync);
        await using var node = NodeScript.Start("violate", $"{server.Uri()}");
        for (var i = 0; i < 20; i++)
        {
            var seen = await node.ReadAsync();
            seen.GetProperty("messages").EnumerateArray().Select(message => message.GetString()).Should().Equal("before");
            seen.GetProperty("code").GetInt32().Should().Be(1002);
        }

        await node.ExitAsync();
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Stop_NpmWs_Gets1001()
    {
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, Handlers.EchoAsync);
        await using var node = NodeScript.Start("stay", $"{server.Uri()}");
        await node.ReadAsync();
        var stop = server.App.StopAsync(Until.Cancelled);
        (await node.ReadAsync()).GetProperty("code").GetInt32().Should().Be(1001);
        await stop;
        await node.ExitAsync();
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Origin_NpmWsFromAnotherSite_IsRefused()
    {
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, Handlers.EchoAsync);
        await using var node = NodeScript.Start("refused", $"{server.Uri()}", "https://evil.example");
        (await node.ReadAsync()).GetProperty("status").GetInt32().Should().Be(403);
        await node.ExitAsync();
    }
}
