using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;
using RealtimeKit.AspNetCore.Tests.WebSockets;
using RealtimeKit.ServerSentEvents;

namespace RealtimeKit.AspNetCore.Tests.ServerSentEvents;

/// <summary>Clients that others wrote, and our own.</summary>
public class ClientTests
{
    private const string Chromium = "/usr/bin/chromium";

    public static TheoryData<Wire> AllWires => EventWires.All;

    [Theory(Timeout = Until.Bound), InlineData(Wire.Pipes), InlineData(Wire.Http2Tls)]
    public async Task Chromium_ConnectionIsDropped_ResumesAfterItsLastIdUntilItIsTold204(Wire wire)
    {
        if (!File.Exists(Chromium))
            Assert.Skip("chromium is not installed. Run: apt-get install chromium");
        var (server, cursors, heard) = await DroppingServer.StartAsync(wire);
        await using var _ = server;
        await using var page = NodeScript.StartNode("browser.mjs", "playwright-core", Chromium, $"{server.HttpUri("/")}");
        await FollowAsync(page, cursors, heard);
        await page.ExitAsync();
        server.Logs.Ours.Should().NotContain(record => record.Level > LogLevel.Debug);
    }

    [Theory(Timeout = Until.Bound), InlineData(Wire.Pipes), InlineData(Wire.PipesTls)]
    public async Task NpmEventSource_ConnectionIsDropped_ResumesAfterItsLastIdUntilItIsTold204(Wire wire)
    {
        var (server, cursors, heard) = await DroppingServer.StartAsync(wire);
        await using var _ = server;
        await using var script = NodeScript.StartNode("eventsource.mjs", "eventsource", $"{server.HttpUri("/sse")}");
        await FollowAsync(script, cursors, heard);
        await script.ExitAsync();
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task OurClient_ConnectionIsDropped_ResumesAfterItsLastIdUntilItIsTold204(Wire wire)
    {
        var (server, cursors, heard) = await DroppingServer.StartAsync(wire);
        await using var _ = server;
        using var http = new HttpClient(new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = TestCertificate.IsOurs } })
        {
            DefaultRequestVersion = wire.IsHttp2() ? new Version(2, 0) : new Version(1, 1),
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        await using var client = new ServerSentEventClient(http, server.HttpUri("/sse"));
        var seen = new List<string>();
        await foreach (var item in client.ReadAllAsync(Until.Cancelled))
        {
            if (item.EventType == "message")
                seen.Add(item.Data);
            else if (seen.Count == 6)
                heard.TrySetResult();
        }

        seen.Should().Equal(Enumerable.Range(1, 9).Select(id => $"event {id}\nwith ä"));
        cursors.Should().Equal(null, "3", "6", "9");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Curl_FirstEventIsFarOff_ShowsTheOpeningAtOnceAndHeartbeatsWhileIdle()
    {
        var options = new ServerSentEventEndpointOptions { HeartbeatInterval = TimeSpan.FromMilliseconds(500) };
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, app =>
            app.MapServerSentEvents("/sse", options, (_, cancel) => Task.Delay(Timeout.Infinite, cancel)));
        using var curl = StartCurl("-sS", "-N", "-i", $"{server.HttpUri("/sse")}");
        try
        {
            var lines = new List<string>();
            while (lines.Count(line => line == ":") < 3)
                lines.Add((await curl.StandardOutput.ReadLineAsync(Until.Cancelled))!);
            lines[0].Should().StartWith("HTTP/1.1 200");
            lines.Should().Contain("Cache-Control: no-cache, no-transform");
            lines.SkipWhile(line => line.Length > 0).Should().Equal("", ": open", "", "retry: 3000", "", ":", "", ":", "", ":");
        }
        finally
        {
            curl.Kill();
        }
    }

    private static async Task FollowAsync(NodeScript script, ConcurrentQueue<string?> cursors, TaskCompletionSource heard)
    {
        var seen = new List<string>();
        var alive = 0;
        while (true)
        {
            var value = await script.ReadAsync();
            if (value.ValueKind == JsonValueKind.Object && value.TryGetProperty("closed", out _))
                break;
            if (value.ValueKind != JsonValueKind.String || value.GetString() != "alive")
            {
                seen.Add(value.ValueKind == JsonValueKind.String ? value.GetString()! : $"{value.GetProperty("id")} {value.GetProperty("data")}");
                continue;
            }

            alive++;
            if (seen[^1].StartsWith("6 ", StringComparison.Ordinal))
                heard.TrySetResult();
        }

        var events = Enumerable.Range(1, 9).Select(id => $"{id} event {id}\nwith ä").Chunk(3).ToArray();
        seen.Should().Equal([.. Connection(events[0]), .. Connection(events[1]), .. Connection(events[2])]);
        alive.Should().BePositive("a heartbeat that is an event reaches the page");
        cursors.Should().Equal(null, "3", "6", "9");

        static string[] Connection(string[] events) => ["open", .. events, "lost"];
    }

    private static Process StartCurl(params string[] arguments)
    {
        try
        {
            return Process.Start(new ProcessStartInfo("curl", arguments) { RedirectStandardOutput = true })!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("curl is not installed. Run: apt-get install curl");
            throw;
        }
    }
}
