namespace RealtimeKit.Showcase.Tests;

/// <summary>How the pages look: light, dark, 360 pixels wide, and to axe. The screenshots stay in artifacts/screenshots.</summary>
public class LookTests(Site site) : IClassFixture<Site>
{
    [Theory(Timeout = 2 * Until.Bound)]
    [InlineData("index")]
    [InlineData("chat")]
    [InlineData("ticker")]
    [InlineData("sports")]
    [InlineData("collaboration")]
    [InlineData("game")]
    [InlineData("sensors")]
    [InlineData("inspector")]
    [InlineData("comparison")]
    public Task Page_LightDarkAndOnAPhone_IsAccessibleAndFits(string page) => site.RunAsync("look.mjs", page, Site.Path("Screenshots"));
}
