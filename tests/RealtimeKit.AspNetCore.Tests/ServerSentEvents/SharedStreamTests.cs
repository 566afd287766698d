using System.Collections.Concurrent;
using System.Globalization;
using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using RealtimeKit.AspNetCore.Tests.WebSockets;

namespace RealtimeKit.AspNetCore.Tests.ServerSentEvents;

/// <summary>The script of docs/server-sent-events.md by which one tab holds the stream for all, as it stands there, in a real Chromium.</summary>
public class SharedStreamTests
{
    private const string Chromium = "/usr/bin/chromium";

    // Frames of one origin share locks and channels as tabs do. The first is the leader; the others, more than six streams would leave
    // room for, come with its first event.
    private const string Page = """
        <!doctype html><meta charset="utf-8"><title>tabs</title><body>
        <script>
        const add = () => document.body.appendChild(Object.assign(document.createElement('iframe'), { src: '/tab' }));
        const leader = add();
        window.shown = data => {
          if (data.data === 'first') for (let i = 0; i < 7; i++) add();
          if (data.data === 'leave') leader.remove();
          window.report(data.data === 'end' ? null : data);
        };
        </script>
        """;

    private const string Tab = """
        <!doctype html><meta charset="utf-8"><title>tab</title>
        <script type="module">
        const show = data => parent.shown(data);
        SCRIPT
        parent.report('ready');
        </script>
        """;

    [Fact(Timeout = Until.Bound)]
    public async Task Chromium_EightTabsOverHttp1_ShareOneStreamAndPassItOn()
    {
        if (!File.Exists(Chromium))
            Assert.Skip("chromium is not installed. Run: apt-get install chromium");
        var cursors = new ConcurrentQueue<string?>();
        var publish = new SemaphoreSlim(0);
        var streams = 0;
        string[] events = ["first", "two", "leave", "after", "end"];
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, app =>
        {
            app.MapGet("/", () => Results.Content(Page, "text/html"));
            app.MapGet("/tab", () => Results.Content(Tab.Replace("SCRIPT", Script(), StringComparison.Ordinal), "text/html"));
            app.MapServerSentEvents("/events", async (stream, request, _, cancel) =>
            {
                var own = Interlocked.Increment(ref streams);
                cursors.Enqueue(request.LastEventId);
                for (var i = int.Parse(request.LastEventId ?? "0", CultureInfo.InvariantCulture); i < events.Length; i++)
                {
                    await publish.WaitAsync(cancel);
                    if (Volatile.Read(ref streams) != own)
                    {
                        publish.Release();   // the tab that left had this stream: the next one's has the turn
                        return;
                    }

                    await stream.WriteAsync(events[i], id: $"{i + 1}", cancellationToken: cancel);
                }
            });
        });
        await using var page = NodeScript.StartNode("browser.mjs", "playwright-core", Chromium, $"{server.HttpUri("/")}");

        await CountAsync(page, "ready", 1);
        publish.Release();
        await CountAsync(page, "ready", 7);
        publish.Release();
        await CountAsync(page, "two", 8);
        cursors.Should().Equal([null], "one stream serves all tabs");

        publish.Release();
        await Until.TrueAsync(() => cursors.Count == 2);
        cursors.Should().Equal([null, "3"], "the next tab goes on where the first one was");
        publish.Release();
        await CountAsync(page, "after", 7);
        publish.Release();
        await page.ExitAsync();
    }

    /// <summary>Reads what the tabs say until so many of them have said this.</summary>
    private static async Task CountAsync(NodeScript page, string expected, int count)
    {
        while (count > 0)
        {
            var value = await page.ReadAsync();
            var said = value.ValueKind == System.Text.Json.JsonValueKind.String ? value.GetString() : value.GetProperty("data").GetString();
            if (said == expected)
                count--;
        }
    }

    private static string Script()
    {
        var docs = typeof(SharedStreamTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(pair => pair.Key == "Docs").Value!;
        var text = File.ReadAllText(Path.Combine(docs, "server-sent-events.md"));
        var start = text.IndexOf("```js\n", StringComparison.Ordinal) + "```js\n".Length;
        return text[start..text.IndexOf("```", start, StringComparison.Ordinal)];
    }
}
