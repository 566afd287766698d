using System.Net;
using System.Net.WebSockets;
using System.Text.Json;
using RealtimeKit.AspNetCore.Tests.WebSockets;

namespace RealtimeKit.AspNetCore.Tests.Samples;

public class EchoTests
{
    [Theory(Timeout = Until.Bound)]
    [InlineData("1.1")]
    [InlineData("1.1", "--http1")]
    [InlineData("2.0", "--http2")]
    [InlineData("1.1", "--https")]
    [InlineData("2.0", "--https")]
    [InlineData("1.1", "--https", "--http1")]
    [InlineData("2.0", "--https", "--http2")]
    [InlineData("1.1", "--host", "kestrel", "--compression", "off")]
    public async Task Echo_WithTheseFlags_EchoesAndLeavesOnSigterm(string version, params string[] flags)
    {
        await using var echo = await EchoProcess.StartAsync(flags);
        using var client = await echo.ConnectAsync(Version.Parse(version));
        await client.SendTextAsync("hällo");
        (await client.ReceiveTextAsync()).Should().Be("hällo");
        await client.SendAsync(new byte[5_000_000], WebSocketMessageType.Binary, true, Until.Cancelled);
        var (type, payload) = await client.ReceiveMessageAsync();
        type.Should().Be(WebSocketMessageType.Binary);
        payload.AsSpan().SequenceEqual(new byte[5_000_000]).Should().BeTrue();

        echo.Terminate();
        (await client.ReceiveMessageAsync()).Type.Should().Be(WebSocketMessageType.Close);
        client.CloseStatus.Should().Be(WebSocketCloseStatus.EndpointUnavailable);
        await client.CloseOutputAsync(WebSocketCloseStatus.EndpointUnavailable, null, Until.Cancelled);
        (await echo.ExitCodeAsync()).Should().Be(0);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Sse_WithACount_EndsAfterItAndResumes()
    {
        await using var echo = await EchoProcess.StartAsync();
        using var http = new HttpClient { BaseAddress = echo.HttpUri };
        (await http.GetStringAsync("/sse?count=2&size=3", Until.Cancelled)).Should().Be(": open\n\nretry: 3000\n\nid: 1\ndata: xxx\n\nid: 2\ndata: xxx\n\n");

        using var resume = new HttpRequestMessage(HttpMethod.Get, "/sse?count=2&size=3") { Headers = { { "Last-Event-ID", "1" } } };
        using var rest = await http.SendAsync(resume, Until.Cancelled);
        (await rest.Content.ReadAsStringAsync(Until.Cancelled)).Should().EndWith("retry: 3000\n\nid: 2\ndata: xxx\n\n").And.NotContain("id: 1");

        using var seen = new HttpRequestMessage(HttpMethod.Get, "/sse?count=2") { Headers = { { "Last-Event-ID", "2" } } };
        (await http.SendAsync(seen, Until.Cancelled)).StatusCode.Should().Be(HttpStatusCode.NoContent);
        (await http.GetAsync("/sse?count=many", Until.Cancelled)).StatusCode.Should().Be(HttpStatusCode.BadRequest);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Echo_SubProtocols_TheFirstOfTheClientsIsChosen()
    {
        await using var echo = await EchoProcess.StartAsync("--subprotocols", "a,b");
        using var client = await echo.ConnectAsync(null, "x", "b", "a");
        client.SubProtocol.Should().Be("b");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Echo_MaxMessage_RefusesLargerOnes()
    {
        await using var echo = await EchoProcess.StartAsync("--max-message", "1000");
        using var client = await echo.ConnectAsync();
        await client.SendAsync(new byte[1000], WebSocketMessageType.Binary, true, Until.Cancelled);
        (await client.ReceiveMessageAsync()).Payload.Should().HaveCount(1000);
        await client.SendAsync(new byte[1001], WebSocketMessageType.Binary, true, Until.Cancelled);
        (await client.ReceiveMessageAsync()).Type.Should().Be(WebSocketMessageType.Close);
        client.CloseStatus.Should().Be(WebSocketCloseStatus.MessageTooBig);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Echo_Limits_AreThoseOfConformanceSuites()
    {
        await using var echo = await EchoProcess.StartAsync();
        await using var client = await RawWebSocket.ConnectAsync(echo.HttpUri.Port, isTls: false);
        var fragments = Enumerable.Repeat(RawWebSocket.Frame(0, [], isFinal: false), 50_000).SelectMany(frame => frame).ToArray();
        await client.SendAsync(RawWebSocket.Frame(1, "a"u8, isFinal: false), fragments, RawWebSocket.Frame(0, "b"u8));
        (await client.ReceiveAsync())!.Text.Should().Be("ab");
        await client.SendAsync([.. Enumerable.Repeat(RawWebSocket.Frame(9, []), 5000)]);
        for (var i = 0; i < 5000; i++)
            (await client.ReceiveAsync())!.Opcode.Should().Be(10);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Echo_Stats_AreJson()
    {
        await using var echo = await EchoProcess.StartAsync("--stats");
        using var client = await echo.ConnectAsync();
        await client.SendTextAsync("x");
        await client.ReceiveTextAsync();
        using var http = new HttpClient { BaseAddress = echo.HttpUri };
        var stats = JsonDocument.Parse(await http.GetStringAsync("/stats", Until.Cancelled)).RootElement;
        stats.GetProperty("connections").GetInt32().Should().Be(1);
        stats.GetProperty("pid").GetInt32().Should().Be(echo.Id);
        stats.GetProperty("allocatedBytes").GetInt64().Should().BePositive();
        stats.GetProperty("workingSet").GetInt64().Should().BePositive();
        stats.GetProperty("cpuMs").GetInt64().Should().BePositive();
        var before = stats.GetProperty("gen0").GetInt32();
        using var collected = await http.PostAsync("/gc", null, Until.Cancelled);
        JsonDocument.Parse(await collected.Content.ReadAsStringAsync(Until.Cancelled)).RootElement.GetProperty("gen0").GetInt32().Should().BeGreaterThan(before);
        (await http.GetAsync("/gc", Until.Cancelled)).StatusCode.Should().Be(HttpStatusCode.OK);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Echo_WithoutStats_HasNone()
    {
        await using var echo = await EchoProcess.StartAsync();
        using var http = new HttpClient { BaseAddress = echo.HttpUri };
        (await http.GetAsync("/stats", Until.Cancelled)).StatusCode.Should().Be(HttpStatusCode.NotFound);
    }

    [Theory(Timeout = Until.Bound)]
    [InlineData("--nonsense")]
    [InlineData("stray")]
    [InlineData("--port")]
    [InlineData("--port", "70000")]
    [InlineData("--port", "-1")]
    [InlineData("--host", "iis")]
    [InlineData("--host", "httplistener", "--https")]
    [InlineData("--host", "httplistener", "--compression", "on")]
    [InlineData("--compression", "maybe")]
    [InlineData("--max-message", "0")]
    [InlineData("--subprotocols", "a b")]
    [InlineData("--subprotocols", "a,a")]
    [InlineData("--http1", "--http2")]
    public async Task Echo_WhatItCannotDo_ExitsWith2AndOneLine(params string[] flags)
    {
        var (exitCode, output, error) = await EchoProcess.RunAsync(flags);
        exitCode.Should().Be(2);
        output.Should().BeEmpty();
        error.Should().StartWith("echo: ").And.EndWith("\n");
        error.TrimEnd('\n').Should().NotContain("\n");
    }
}
