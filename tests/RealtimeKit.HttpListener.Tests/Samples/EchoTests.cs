using System.Net.WebSockets;
using System.Text.Json;

namespace RealtimeKit.Listener.Tests.Samples;

public class EchoTests
{
    [Fact(Timeout = Until.Bound)]
    public async Task Echo_OnHttpListener_EchoesAndLeavesOnSigterm()
    {
        await using var echo = await EchoProcess.StartAsync("--host", "httplistener", "--subprotocols", "a,b");
        using var client = await echo.ConnectAsync(null, "x", "b");
        client.SubProtocol.Should().Be("b");
        await client.SendTextAsync("hällo");
        (await client.ReceiveTextAsync()).Should().Be("hällo");
        await client.SendAsync(new byte[5_000_000], WebSocketMessageType.Binary, true, Until.Cancelled);
        (await client.ReceiveMessageAsync()).Payload.Should().HaveCount(5_000_000);

        echo.Terminate();
        (await client.ReceiveMessageAsync()).Type.Should().Be(WebSocketMessageType.Close);
        client.CloseStatus.Should().Be(WebSocketCloseStatus.EndpointUnavailable);
        await client.CloseOutputAsync(WebSocketCloseStatus.EndpointUnavailable, null, Until.Cancelled);
        (await echo.ExitCodeAsync()).Should().Be(0);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Sse_OnHttpListener_EndsAfterItsCountAndResumes()
    {
        await using var echo = await EchoProcess.StartAsync("--host", "httplistener");
        using var http = new HttpClient { BaseAddress = echo.HttpUri };
        (await http.GetStringAsync("/sse?count=2&size=3", Until.Cancelled)).Should().Be(": open\n\nretry: 3000\n\nid: 1\ndata: xxx\n\nid: 2\ndata: xxx\n\n");
        using var seen = new HttpRequestMessage(HttpMethod.Get, "/sse?count=2") { Headers = { { "Last-Event-ID", "2" } } };
        (await http.SendAsync(seen, Until.Cancelled)).StatusCode.Should().Be(HttpStatusCode.NoContent);
        (await http.GetAsync("/sse?count=many", Until.Cancelled)).StatusCode.Should().Be(HttpStatusCode.BadRequest);
        (await http.GetAsync("/stats", Until.Cancelled)).StatusCode.Should().Be(HttpStatusCode.NotFound);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Stats_OnHttpListener_AreJson()
    {
        await using var echo = await EchoProcess.StartAsync("--host", "httplistener", "--stats");
        using var client = await echo.ConnectAsync();
        await client.SendTextAsync("x");
        await client.ReceiveTextAsync();
        using var http = new HttpClient { BaseAddress = echo.HttpUri };
        var stats = JsonDocument.Parse(await http.GetStringAsync("/stats", Until.Cancelled)).RootElement;
        stats.GetProperty("connections").GetInt32().Should().Be(1);
        stats.GetProperty("pid").GetInt32().Should().Be(echo.Id);
        using var collected = await http.PostAsync("/gc", null, Until.Cancelled);
        collected.StatusCode.Should().Be(HttpStatusCode.OK);
        (await http.GetAsync("/gc", Until.Cancelled)).StatusCode.Should().Be(HttpStatusCode.OK);
    }

    [Theory(Timeout = Until.Bound)]
    [InlineData("--https")]
    [InlineData("--http2")]
    [InlineData("--compression", "on")]
    [InlineData("--compression", "takeover")]
    public async Task Echo_WhatHttpListenerCannotDo_ExitsWith2AndOneLine(params string[] flags)
    {
        var (exitCode, output, error) = await EchoProcess.RunAsync(["--host", "httplistener", .. flags]);
        exitCode.Should().Be(2);
        output.Should().BeEmpty();
        error.TrimEnd('\n').Should().StartWith("echo: ").And.NotContain("\n");
    }
}
