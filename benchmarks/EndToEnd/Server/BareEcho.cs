using System.Net;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>
/// The floor under any implementation on Kestrel: after the handshake the bytes go back as they came, without a codec, over the
/// upgrade stream or over the connection's own pipes.
/// </summary>
internal static class BareEcho
{
    public static void MapStream(WebApplication app, int bufferSize, bool corrupt) => app.MapGet("/ws", async context =>
    {
        await using var stream = await UpgradeAsync(context);
        var buffer = new byte[bufferSize];
        var reads = 0;
        try
        {
            while (true)
            {
                var length = await stream.ReadAsync(buffer);
                if (length == 0)
                    return;
                if (corrupt && ++reads % 100 == 0)
                    buffer[length - 1] ^= 1;
                await stream.WriteAsync(buffer.AsMemory(0, length));
            }
        }
        catch (IOException)
        {
            // The load generator goes without a close handshake.
        }
    });

    public static void MapPipes(WebApplication app) => app.MapGet("/ws", async context =>
    {
        await UpgradeAsync(context);
        var transport = context.Features.GetRequiredFeature<IConnectionTransportFeature>().Transport;
        try
        {
            while (true)
            {
                var result = await transport.Input.ReadAsync();
                foreach (var segment in result.Buffer)
                {
                    segment.Span.CopyTo(transport.Output.GetSpan(segment.Length));
                    transport.Output.Advance(segment.Length);
                }
                transport.Input.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted || result.IsCanceled || (await transport.Output.FlushAsync()).IsCompleted)
                    return;
            }
        }
        catch (IOException)
        {
            // The load generator goes without a close handshake.
        }
    });

    public static Task<Stream> UpgradeAsync(HttpContext context)
    {
        var headers = context.Request.Headers;
        var handshake = WebSocketHandshake.Validate(new WebSocketHandshakeRequest
        {
            Method = context.Request.Method,
            HttpVersion = HttpVersion.Version11,
            Upgrade = headers.Upgrade.ToArray(),
            Connection = headers.Connection.ToArray(),
            Key = headers.SecWebSocketKey.ToArray(),
            Version = headers.SecWebSocketVersion.ToArray(),
        });
        handshake.WriteHeaders(context.Response.Headers, static (response, name, value) => response[name] = value);
        return context.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync();
    }
}
