using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using RealtimeKit.WebSockets;

namespace RealtimeKit.AspNetCore.Tests.WebSockets;

// permessage-deflate (RFC 7692) with a real browser, which offers client_max_window_bits and takes what it is answered.
public class BrowserCompressionTests
{
    private const string Chromium = "/usr/bin/chromium";

    // Twice the same, so that context takeover has something to refer to. Noise shows that what does not shrink comes through too.
    private const string Page = """
        <!doctype html><meta charset="utf-8"><title>deflate</title>
        <script>
        (async () => {
          const socket = new WebSocket(location.href.replace(/^http/, 'ws') + 'ws');
          socket.binaryType = 'arraybuffer';
          const next = name => new Promise((resolve, reject) => {
            socket.addEventListener(name, resolve, { once: true });
            socket.addEventListener('error', () => reject(new Error('the socket failed')), { once: true });
          });
          try {
            await next('open');
            const texts = [0, 1, 100, 1000, 5000, 70000, 300000].map(size =>
              JSON.stringify(Array.from({ length: size / 50 + 1 }, (_, i) => ({ id: i * 7919 % 1000, name: `größe ${i % 13}`, ok: i % 3 === 0 }))).slice(0, size));
            const noise = crypto.getRandomValues(new Uint8Array(3000));
            let total = 0;
            for (const message of [...texts, noise, ...texts]) {
              const answer = next('message');
              socket.send(message);
              const { data } = await answer;
              const same = typeof message === 'string'
                ? data === message
                : data instanceof ArrayBuffer && new Uint8Array(data).every((byte, i) => byte === message[i]) && data.byteLength === message.length;
              if (!same) throw new Error(`the echo of ${message.length} differs`);
              total += typeof message === 'string' ? new TextEncoder().encode(message).length : message.length;
            }
            const closed = next('close');
            socket.close(1000, 'done');
            const { code, wasClean } = await closed;
            await window.report({ extensions: socket.extensions, total, code, wasClean });
          } catch (error) {
            await window.report({ error: String(error) });
          }
          await window.report(null);
        })();
        </script>
        """;

    public static TheoryData<Wire, bool, bool, int, int> Agreements
    {
        get
        {
            var data = new TheoryData<Wire, bool, bool, int, int>();
            foreach (var wire in (Wire[])[Wire.Pipes, Wire.Http2Tls])
                foreach (var (server, client) in ((bool, bool)[])[(false, false), (true, true), (true, false)])
                    data.Add(wire, server, client, 15, 15);
            data.Add(Wire.Pipes, true, true, 8, 8);
            data.Add(Wire.Pipes, true, true, 9, 12);
            return data;
        }
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(Agreements))]
    public async Task Echo_Chromium_IsCompressedBothWays(Wire wire, bool serverTakeover, bool clientTakeover, int serverBits, int clientBits)
    {
        if (!File.Exists(Chromium))
            Assert.Skip("chromium is not installed. Run: apt-get install chromium");
        PerMessageDeflateParameters? agreed = null;
        WebSocketConnection? accepted = null;
        var options = new WebSocketEndpointOptions
        {
            Compression = new PerMessageDeflateOptions
            {
                ServerContextTakeover = serverTakeover,
                ClientContextTakeover = clientTakeover,
                ServerMaxWindowBits = serverBits,
                ClientMaxWindowBits = clientBits,
            },
        };
        await using var server = await TestServerHost.StartAsync(wire, app =>
        {
            app.MapGet("/", () => Results.Content(Page, "text/html"));
            app.MapWebSocket("/ws", options, connection =>
            {
                accepted = connection;
                agreed = connection.Compression;
                return Handlers.EchoAsync(connection);
            });
        });
        await using var relay = new CountingRelay(server.Port);
        await using var page = NodeScript.StartNode("browser.mjs", "playwright-core", Chromium, $"{(wire.IsTls() ? "https" : "http")}://127.0.0.1:{relay.Port}/");
        var seen = await page.ReadAsync();
        seen.TryGetProperty("error", out var error).Should().BeFalse("{0}", error);
        await page.ExitAsync();

        agreed.Should().Be(new PerMessageDeflateParameters
        {
            ServerContextTakeover = serverTakeover,
            ClientContextTakeover = clientTakeover,
            ServerMaxWindowBits = serverBits,
            ClientMaxWindowBits = clientBits,
        });
        seen.GetProperty("extensions").GetString().Should().StartWith("permessage-deflate");
        seen.GetProperty("code").GetInt32().Should().Be(1000);
        seen.GetProperty("wasClean").GetBoolean().Should().BeTrue();
        await Until.TrueAsync(() => accepted!.CloseResult is not null);
        accepted!.CloseResult!.Value.IsClean.Should().BeTrue();

        // The page, TLS and all that Chromium asks for by itself included.
        var total = seen.GetProperty("total").GetInt64();
        total.Should().BeGreaterThan(600_000);
        relay.ToServer.Should().BeLessThan(total / 3, "what the browser sends is compressed");
        relay.ToClient.Should().BeLessThan(total / 3, "what we send is compressed");
        server.Logs.Ours.Should().NotContain(record => record.Level > LogLevel.Debug);
    }
}
