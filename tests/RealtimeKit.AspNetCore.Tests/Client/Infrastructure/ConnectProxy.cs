using System.Net.Sockets;
using System.Text;

namespace RealtimeKit.AspNetCore.Tests.Client;

/// <summary>A proxy that only makes CONNECT tunnels (RFC 9110 §9.3.6), to the loopback address whatever the name.</summary>
internal static class ConnectProxy
{
    public static RawServer Start(string? refusal = null) => new(async (request, client, stop) =>
    {
        var target = request.Split(' ')[1];
        if (refusal is not null || !request.StartsWith("CONNECT ", StringComparison.Ordinal))
        {
            await client.WriteAsync(Encoding.ASCII.GetBytes(refusal ?? "HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n"), stop);
            return;
        }

        using var tcp = new TcpClient();
        await tcp.ConnectAsync("127.0.0.1", int.Parse(target.Split(':')[^1], System.Globalization.CultureInfo.InvariantCulture), stop);
        await client.WriteAsync("HTTP/1.1 200 Connection established\r\n\r\n"u8.ToArray(), stop);
        var server = tcp.GetStream();
        await Task.WhenAny(client.CopyToAsync(server, stop), server.CopyToAsync(client, stop));
    });
}
