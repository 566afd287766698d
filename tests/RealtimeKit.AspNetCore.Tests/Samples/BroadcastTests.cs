using RealtimeKit.AspNetCore.Tests.Topics;
using RealtimeKit.AspNetCore.Tests.WebSockets;

namespace RealtimeKit.AspNetCore.Tests.Samples;

public class BroadcastTests
{
    [Fact(Timeout = 2 * Until.Bound)]
    public async Task Scoreboard_ConnectionsAreCut_ComeBackWithEverything()
    {
        if (!File.Exists(BrowserTests.Chromium))
            Assert.Skip("chromium is not installed. Run: apt-get install chromium");
        await using var broadcast = await EchoProcess.StartSampleAsync("BroadcastAssembly", "--interval", "50");
        string[] screenshots = Environment.GetEnvironmentVariable("REALTIMEKIT_SCREENSHOTS") is { } folder ? [folder] : [];
        await using var page = NodeScript.StartNode("scoreboard.mjs", "playwright-core", [BrowserTests.Chromium, $"{broadcast.HttpUri}", .. screenshots]);
        var result = await page.ReadAsync();
        await page.ExitAsync();
        result.GetProperty("errors").GetArrayLength().Should().Be(0);
        foreach (var panel in new[] { "eventsource", "websocket" })
        {
            var counts = result.GetProperty(panel);
            counts.GetProperty("missed").GetInt32().Should().Be(0, panel);
            counts.GetProperty("resumed").GetInt32().Should().BeGreaterThanOrEqualTo(2, panel);
            counts.GetProperty("received").GetInt32().Should().BeGreaterThan(9, panel);
        }

        result.GetProperty("eventsource").GetProperty("twice").GetInt32().Should().Be(result.GetProperty("rendered").GetInt32(), "its browser resumes exactly");
        result.GetProperty("light").GetString().Should().NotBe(result.GetProperty("dark").GetString());
        result.GetProperty("overflow").GetInt32().Should().BeLessThanOrEqualTo(0, "it fits a phone");

        broadcast.Terminate();
        (await broadcast.ExitCodeAsync()).Should().Be(0);
    }
}
