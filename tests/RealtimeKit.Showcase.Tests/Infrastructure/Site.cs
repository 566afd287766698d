using System.Reflection;

// The tests wait more than they work.
[assembly: Xunit.v3.Parallelization(MaxThreads = 4)]

namespace RealtimeKit.Showcase.Tests;

/// <summary>The program as its visitors start it, and a Chromium: a class's tests share both, one after the other, each in browser contexts of its own.</summary>
public sealed class Site : IAsyncLifetime
{
    private const string Chromium = "/usr/bin/chromium";

    private EchoProcess? _program;
    private NodeScript? _browser;
    private string _endpoint = "";

    internal Uri Uri => _program!.HttpUri;

    internal static string Path(string key) =>
        typeof(Site).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(pair => pair.Key == key).Value!;

    public async ValueTask InitializeAsync() =>
        _program = await EchoProcess.StartSampleAsync("ShowcaseAssembly", "--self-test", Path("SelfTest"));

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            _browser.CloseInput();
            await _browser.DisposeAsync();
        }

        if (_program is not null)
            await _program.DisposeAsync();
    }

    /// <summary>Runs one of Node's scripts against the site; it asserts by itself, and must end well.</summary>
    internal async Task RunAsync(string script, params string[] arguments)
    {
        if (!File.Exists(Chromium))
            Assert.Skip("chromium is not installed. Run: apt-get install chromium");
        if (_browser is null)
        {
            _browser = NodeScript.StartNode("browser.mjs", "playwright-core", Chromium);
            _endpoint = (await _browser.ReadAsync()).GetString()!;
        }

        await using var running = NodeScript.StartNode(script, "playwright-core", [_endpoint, $"{Uri}", .. arguments]);
        await running.ExitAsync();
    }

    /// <summary>What a page that tests itself has posted.</summary>
    internal Task<string> ReadPostedAsync() => _program!.ReadLineAsync();
}
