using System.Diagnostics;
using System.Text.Json;

namespace RealtimeKit.Showcase.Tests;

public class FirefoxTests(Site site) : IClassFixture<Site>
{
    private const string Firefox = "/usr/bin/firefox-esr";

    // Debian has no driver for it: a page of the site uses the others in frames, and posts what came of each.
    [Fact(Timeout = 2 * Until.Bound)]
    public async Task Pages_InFirefox_DoWhatTheyShow()
    {
        if (!File.Exists(Firefox))
            Assert.Skip("firefox-esr is not installed. Run: apt-get install firefox-esr");
        var profile = Directory.CreateTempSubdirectory("realtimekit-firefox-");
        await File.WriteAllTextAsync(Path.Combine(profile.FullName, "user.js"), """
            user_pref("browser.shell.checkDefaultBrowser", false);
            user_pref("browser.aboutwelcome.enabled", false);
            user_pref("datareporting.policy.dataSubmissionEnabled", false);
            user_pref("toolkit.telemetry.reportingpolicy.firstRun", false);
            user_pref("app.update.enabled", false);
            user_pref("app.normandy.enabled", false);
            user_pref("browser.safebrowsing.malware.enabled", false);
            user_pref("browser.safebrowsing.phishing.enabled", false);
            user_pref("network.captive-portal-service.enabled", false);
            user_pref("network.connectivity-service.enabled", false);
            user_pref("services.settings.server", "http://127.0.0.1:9/");
            user_pref("network.http.max-persistent-connections-per-server", 20);

            """, Until.Cancelled);
        using var firefox = Process.Start(new ProcessStartInfo(Firefox, ["--headless", "--no-remote", "--profile", profile.FullName, $"{site.Uri}self-test/index.html"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        try
        {
            var failed = new List<string>();
            var pages = 0;
            while (JsonDocument.Parse(await site.ReadPostedAsync()).RootElement is var result && result.GetProperty("page").GetString() is { } page)
            {
                pages++;
                if (result.GetProperty("error").GetString() is { } error)
                    failed.Add($"{page}: {error}");
            }

            failed.Should().BeEmpty();
            pages.Should().Be(9);
        }
        finally
        {
            firefox.Kill(entireProcessTree: true);
            await firefox.WaitForExitAsync(CancellationToken.None);
            profile.Delete(recursive: true);
        }
    }
}
