using RealtimeKit.AspNetCore.Tests.WebSockets;

namespace RealtimeKit.Docs.Tests;

/// <summary>A page of a site's own origin with a script of the documentation, in a real Chromium.</summary>
internal sealed class Browser : IAsyncDisposable
{
    private const string Chromium = "/usr/bin/chromium";
    private readonly NodeScript _script;

    private Browser(NodeScript script) => _script = script;

    /// <summary>Opens the page; it closes after so many lines.</summary>
    public static Browser Open(Site site, string script, int lines)
    {
        if (!File.Exists(Chromium))
            Assert.Skip("chromium is not installed. Run: apt-get install chromium");
        return new Browser(NodeScript.StartNode("../../RealtimeKit.Docs.Tests/Node/page.mjs", "playwright-core", Chromium, $"{site.Uri("/page")}", script, $"{lines}"));
    }

    /// <summary>The next line that the script logs.</summary>
    public async Task<string> ReadAsync() => (await _script.ReadAsync()).GetString()!;

    public Task ExitAsync() => _script.ExitAsync();

    public ValueTask DisposeAsync() => _script.DisposeAsync();
}
