namespace RealtimeKit.Showcase.Tests;

public class LoneClientTests(Site site) : IClassFixture<Site>
{
    // In a class of its own: it waits for a minute, beside the others.
    [Fact(Timeout = 2 * Until.Bound)]
    public Task Collaboration_SomebodyIsAlone_StaysConnectedForAMinute() => site.RunAsync("lone.mjs");
}
