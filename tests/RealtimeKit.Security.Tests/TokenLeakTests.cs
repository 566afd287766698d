using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using RealtimeKit.ServerSentEvents;

namespace RealtimeKit.Security.Tests;

/// <summary>SECURITY.md, token leak: marked secrets pass through every place that a client has for them, and all that is written down is searched.</summary>
public class TokenLeakTests
{
    private const string Mark = "s3cr3t";

    private static readonly string[] Headers =
        [$"Authorization: Bearer {Mark}-bearer", $"Cookie: session={Mark}-cookie", $"X-Api-Key: {Mark}-key", $"Referer: https://a.example/?code={Mark}-referer", $"Sec-WebSocket-Protocol: chat, {Mark}-protocol"];

    [Theory(Timeout = Until.Bound)]
    [InlineData("/ws", "")]
    [InlineData("/ws", "Origin: https://evil.example")]
    [InlineData("/live", "")]
    [InlineData("/live", "Accept: text/event-stream")]
    [InlineData("/live", "Accept: application/json")]
    [InlineData("/sse", "Accept: text/event-stream")]
    [InlineData("/throws", "")]
    public async Task Server_SecretsOfARequest_AreWrittenNowhere(string path, string header)
    {
        using var seen = new Recorder();
        await using var server = await StartAsync();
        await using (var peer = await RawWebSocket.OpenAsync(server.Port, isTls: false))
        {
            var isStream = header.StartsWith("Accept", StringComparison.Ordinal);
            var head = $"GET {path}?topic=a&access_token={Mark}-query&after={Mark}-cursor HTTP/1.1\r\nHost: a\r\n{string.Concat(Headers.Append(header).Where(line => line.Length > 0).Select(line => line + "\r\n"))}"
                + (isStream ? "" : "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
            await peer.SendHeadAsync(head);
            if (peer.StatusCode == 101)
            {
                await peer.SendAsync(RawWebSocket.Text($"{Mark}-message"), RawWebSocket.Frame(3, Encoding.UTF8.GetBytes($"{Mark}-violation")));
                await peer.ReadCloseAsync();
            }
        }

        using (await server.PostAsync($"/live/a?access_token={Mark}-query", $"{Mark}-payload"))
        {
        }

        using (await server.PostAsync("/live", $$"""{"stream":"{{Mark}}-stream-key"}"""))
        {
        }

        await Until.TrueAsync(() => server.Logs.Ours.Any());
        AssertNothing(server, seen);

        // The proof: the framework's own logs have the query string at Information, and would be found.
        server.Logs.All.Should().Contain(record => record.Message.Contains(Mark, StringComparison.Ordinal), "docs/security-deployment.md says how to turn them off");
    }

    // An application that throws has its exception logged as it is: what the library adds is nothing of the request.
    [Fact(Timeout = Until.Bound)]
    public async Task Server_CloseReasonOfAPeer_BeginsNoLineOfTheLog()
    {
        await using var server = await StartAsync();
        await using (var peer = await Peer.ConnectAsync(server))
        {
            await peer.SendAsync(RawWebSocket.Frame(8, [3, 232, .. Encoding.UTF8.GetBytes("bye\r\ninfo: forged\u001b[2J")]));
            await peer.ReadCloseAsync();
        }

        await Until.TrueAsync(() => server.Logs.Ours.Any(record => record.Event.Name == "Closed"));
        server.Logs.Ours.Should().OnlyContain(record => !record.Message.Any(char.IsControl));
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Client_Exceptions_NameNoSecret()
    {
        using var seen = new Recorder();
        var errors = new List<Exception>();
        string[] answers =
        [
            $"HTTP/1.1 401 {Mark}-reason\r\nSet-Cookie: a={Mark}\r\nContent-Length: 9\r\n\r\n{Mark}-b",
            $"HTTP/1.1 101 X\r\nUpgrade: {Mark}\r\nConnection: Upgrade\r\n\r\n",
            $"HTTP/1.1 200 OK\r\nContent-Type: text/{Mark}\r\nContent-Length: 0\r\n\r\n",
            $"{Mark} no http\r\n\r\n",
            $"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/?t={Mark}\r\nContent-Length: 0\r\n\r\n",
            $"HTTP/1.1 200 OK\r\nX: {Mark}\r\n{Mark} no colon\r\n\r\n",
        ];
        foreach (var answer in answers)
        {
            await using var server = new RawServer(answer);
            var options = new WebSocketClientOptions { ConnectTimeout = TimeSpan.FromSeconds(2) };
            options.SetHeader("Authorization", $"Bearer {Mark}");
            await CatchAsync(() => WebSocketClient.ConnectAsync(new Uri(server.Uri, $"/ws?access_token={Mark}"), options, Until.Cancelled));
            await using var events = new ServerSentEventClient(new Uri(server.HttpUri(), $"/?access_token={Mark}"), new ServerSentEventClientOptions
            {
                Reconnect = false,
                ConnectTimeout = TimeSpan.FromSeconds(2),
                ConfigureRequest = (request, _) =>
                {
                    request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {Mark}");
                    return default;
                },
            });
            await CatchAsync(async () => await events.ReadAllAsync(Until.Cancelled).GetAsyncEnumerator(Until.Cancelled).MoveNextAsync());
        }

        errors.Should().HaveCountGreaterThan(8);
        foreach (var error in errors)
            error.ToString().Should().NotContain(Mark);
        seen.All.Should().NotContain(text => text.Contains(Mark, StringComparison.Ordinal));

        async Task CatchAsync(Func<Task> connect)
        {
            try
            {
                await connect();
            }
            catch (Exception error) when (error is WebSocketConnectException or ServerSentEventClientException)
            {
                errors.Add(error);
            }
        }
    }

    private static void AssertNothing(TestServerHost server, Recorder seen)
    {
        foreach (var record in server.Logs.Ours)
            $"{record.Message} {record.Exception}".Should().NotContain(Mark);
        seen.All.Should().NotContain(text => text.Contains(Mark, StringComparison.Ordinal));
    }

    private static Task<TestServerHost> StartAsync() => TopicsServer.StartAsync(
        Wire.Pipes,
        TopicsServer.AllowPublish,
        map: app =>
        {
            app.MapWebSocket("/ws", new WebSocketEndpointOptions { SubProtocols = ["chat"] }, Handlers.EchoAsync);
            app.MapWebSocket("/throws", static _ => throw new FormatException("the application's own"));
            app.MapServerSentEvents("/sse", static (events, closed) => events.WriteAsync("x", cancellationToken: closed).AsTask());
        });

    /// <summary>Tags of the library's metrics and activities.</summary>
    private sealed class Recorder : IDisposable
    {
        private readonly ConcurrentQueue<string> _texts = [];
        private readonly MeterListener _meters = new();
        private readonly ActivityListener _activities;

        public Recorder()
        {
            _meters.InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter.Name.StartsWith("RealtimeKit", StringComparison.Ordinal))
                    listener.EnableMeasurementEvents(instrument);
            };
            _meters.SetMeasurementEventCallback<long>((instrument, _, tags, _) => Add(instrument, tags));
            _meters.SetMeasurementEventCallback<double>((instrument, _, tags, _) => Add(instrument, tags));
            _meters.Start();
            _activities = new ActivityListener
            {
                ShouldListenTo = static source => source.Name.StartsWith("RealtimeKit", StringComparison.Ordinal),
                Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
                ActivityStopped = activity => _texts.Enqueue($"{activity.DisplayName} {string.Join(' ', activity.TagObjects)} {string.Join(' ', activity.Baggage)}"),
            };
            ActivitySource.AddActivityListener(_activities);
        }

        public IEnumerable<string> All => _texts;

        public void Dispose()
        {
            _meters.Dispose();
            _activities.Dispose();
        }

        private void Add(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            foreach (var (name, value) in tags)
                _texts.Enqueue($"{instrument.Name} {name}={value}");
        }
    }
}
