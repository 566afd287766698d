using System.Text.Json;
using RealtimeKit.AspNetCore.Tests.Topics;
using RealtimeKit.AspNetCore.Tests.WebSockets;
using RealtimeKit.Redis.Tests;

namespace RealtimeKit.AspNetCore.Tests.Samples;

public class BroadcastTests
{
    [Fact(Timeout = 2 * Until.Bound)]
    public async Task Scoreboard_ConnectionsAreCut_ComeBackWithEverything()
    {
        SkipWithoutChromium();
        await using var broadcast = await StartAsync("--interval", "50");
        await FollowAsync(broadcast);
        broadcast.Terminate();
        (await broadcast.ExitCodeAsync()).Should().Be(0);
    }

    [Fact(Timeout = 2 * Until.Bound)]
    public async Task Scoreboard_OfANodeThatOnlyFollows_ShowsWhatTheOtherPublishes()
    {
        SkipWithoutChromium();
        await using var redis = await RedisServer.StartAsync();
        var at = $"127.0.0.1:{redis.Port}";
        await using (var earlier = await StartAsync("--interval", "20", "--redis", at))
        {
            using var http = new HttpClient { BaseAddress = earlier.HttpUri };
            await Eventually.TrueAsync(async () => JsonDocument.Parse(await http.GetStringAsync("/scores", Until.Cancelled)).RootElement
                .GetProperty("scores").EnumerateArray().Any(score => score.GetProperty("number").GetInt32() >= 3));
            earlier.Terminate();
            (await earlier.ExitCodeAsync()).Should().Be(0);
        }

        // Whoever publishes goes on where the run before stopped: on the page, numbers still follow one another.
        await using var publishes = await StartAsync("--interval", "50", "--redis", at);
        await using var follows = await StartAsync("--redis", at, "--follow");
        await FollowAsync(follows);
    }

    [Theory(Timeout = Until.Bound)]
    [InlineData("--nonsense")]
    [InlineData("--interval 0")]
    [InlineData("--redis")]
    [InlineData("--follow")]
    public async Task Start_FlagsAreWrong_Exits2WithOneLine(string flags)
    {
        var (exitCode, output, error) = await EchoProcess.RunSampleAsync("BroadcastAssembly", flags.Split(' '));
        exitCode.Should().Be(2);
        output.Should().BeEmpty();
        error.TrimEnd().Should().NotContain("\n").And.StartWith("broadcast: ");
    }

    private static Task<EchoProcess> StartAsync(params string[] flags) => EchoProcess.StartSampleAsync("BroadcastAssembly", flags);

    private static void SkipWithoutChromium()
    {
        if (!File.Exists(BrowserTests.Chromium))
            Assert.Skip("chromium is not installed. Run: apt-get install chromium");
    }

    private static async Task FollowAsync(EchoProcess broadcast)
    {
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

        result.GetProperty("eventsource").GetProperty("twice").GetInt32().Should().Be(0, "its browser resumes exactly");
        result.GetProperty("light").GetString().Should().NotBe(result.GetProperty("dark").GetString());
        result.GetProperty("overflow").GetInt32().Should().BeLessThanOrEqualTo(0, "it fits a phone");
    }
}
