using System.Net.Http;

namespace RealtimeKit.WebSockets;

/// <summary>The HTTP clients under the WebSocket client.</summary>
internal static class ClientHandler
{
    private static readonly Lazy<HttpMessageInvoker> SharedInvoker = new(() => Create(new WebSocketClientOptions()));

    /// <summary>For connects without settings of their own: connections to one server can share an HTTP/2 connection.</summary>
    public static HttpMessageInvoker Shared => SharedInvoker.Value;

    public static HttpMessageInvoker Create(WebSocketClientOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            // RFC 6455 §4.1 leaves redirects to the client. Headers that hold secrets should not follow one.
            AllowAutoRedirect = false,
            UseCookies = options.Cookies is not null,
            Credentials = options.Credentials,
            UseProxy = options.UseProxy,
            Proxy = options.Proxy,
            MaxResponseHeadersLength = (int)Math.Min((options.Handshake.MaxHeaderBytes + 1023L) / 1024, int.MaxValue / 1024),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            EnableMultipleHttp2Connections = true,
        };
        if (options.Cookies is not null)
            handler.CookieContainer = options.Cookies;
        if (options.SslOptions is not null)
            handler.SslOptions = options.SslOptions;
        return new HttpMessageInvoker(handler);
    }
}
