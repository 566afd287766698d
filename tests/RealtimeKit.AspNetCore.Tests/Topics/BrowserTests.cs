using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using RealtimeKit.AspNetCore.Tests.WebSockets;

namespace RealtimeKit.AspNetCore.Tests.Topics;

/// <summary>A real browser with nothing of ours in it.</summary>
public class BrowserTests
{
    internal const string Chromium = "/usr/bin/chromium";

    // Two topics by the URL, one by a POST with the stream's key; every event is reported as it comes.
    private const string Page = """
        <!doctype html><meta charset="utf-8"><title>topics</title>
        <script>
        const source = new EventSource('/live?topic=a&topic=b');
        let reported = Promise.resolve();
        const report = value => { reported = reported.then(() => window.report(value)); };
        let isFirst = true;
        source.addEventListener('stream', async event => {
          const opening = JSON.parse(event.data);
          report({ topics: opening.topics });
          if (!isFirst) return;
          isFirst = false;
          const answer = await fetch('/live', {
            method: 'POST', headers: { 'Content-Type': 'application/json' },
            body: JSON.stringify({ stream: opening.stream, subscribe: ['c'] }),
          });
          report({ status: answer.status });
        });
        for (const topic of ['a', 'b', 'c', 'gap'])
          source.addEventListener(topic, event => {
            report({ topic, data: event.data });
            if (event.data === 'end') { source.close(); report(null); }
          });
        </script>
        """;

    [Theory(Timeout = Until.Bound), InlineData(Wire.Pipes), InlineData(Wire.Http2Tls)]
    public async Task Chromium_ThreeInterleavedTopicsOneAddedByPost_ResumesAllOfThemWithoutGapOrDuplicate(Wire wire)
    {
        if (!File.Exists(Chromium))
            Assert.Skip("chromium is not installed. Run: apt-get install chromium");
        var streams = new ConcurrentQueue<HttpContext>();
        await using var server = await TopicsServer.StartAsync(
            wire,
            endpoint: options => options.ServerSentEvents = new ServerSentEventEndpointOptions { Retry = TimeSpan.FromMilliseconds(100) },
            map: app =>
            {
                app.MapGet("/", () => Results.Content(Page, "text/html"));
                app.Use((context, next) =>
                {
                    if (context.Request.Path == "/live" && HttpMethods.IsGet(context.Request.Method))
                        streams.Enqueue(context);
                    return next(context);
                });
            });
        await using var page = NodeScript.StartNode("browser.mjs", "playwright-core", Chromium, $"{server.HttpUri("/")}");
        (await page.ReadAsync()).ToString().Should().Be("""{"topics":["a","b"]}""");
        (await page.ReadAsync()).ToString().Should().Be("""{"status":200}""");

        var published = new Dictionary<string, int> { ["a"] = 0, ["b"] = 0, ["c"] = 0 };
        var seen = new Dictionary<string, int>(published);
        var topics = published.Keys.ToArray();
        var random = new Random(1);
        for (var round = 0; round < 3; round++)
        {
            await PublishAsync(30);
            await ReadAsync();

            // The connection breaks, and things happen meanwhile.
            streams.Last().Abort();
            await PublishAsync(30);
            (await page.ReadAsync()).ToString().Should().Be("""{"topics":["a","b","c"]}""");
            await ReadAsync();
        }

        await server.Hub().PublishAsync("c", "end");
        (await page.ReadAsync()).GetProperty("data").GetString().Should().Be("end");
        await page.ExitAsync();
        server.Logs.Ours.Should().NotContain(record => record.Level > LogLevel.Information);

        async Task PublishAsync(int count)
        {
            while (count-- > 0)
            {
                var topic = topics[random.Next(topics.Length)];
                await server.Hub().PublishAsync(topic, $"{++published[topic]}");
            }
        }

        async Task ReadAsync()
        {
            while (topics.Any(topic => seen[topic] < published[topic]))
            {
                var value = await page.ReadAsync();
                var topic = value.GetProperty("topic").GetString()!;
                value.GetProperty("data").GetString().Should().Be($"{++seen[topic]}", topic);
            }
        }
    }
}
