namespace RealtimeKit.Showcase.Tests;

/// <summary>What each page does, in a real Chromium, in two contexts where two people meet. No page may log an error, or ask anybody else for anything.</summary>
public class PageTests(Site site) : IClassFixture<Site>
{
    [Theory(Timeout = 2 * Until.Bound)]
    [InlineData("chat")]
    [InlineData("ticker")]
    [InlineData("sports")]
    [InlineData("collaboration")]
    [InlineData("game")]
    [InlineData("sensors")]
    [InlineData("inspector")]
    [InlineData("comparison")]
    public Task Page_InChromium_DoesWhatItShows(string page) => site.RunAsync($"{page}.mjs");
}
