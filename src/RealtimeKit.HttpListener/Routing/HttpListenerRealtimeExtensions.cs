using Microsoft.Extensions.Logging.Abstractions;
using RealtimeKit;
using RealtimeKit.Listener;
using RealtimeKit.ServerSentEvents;
using RealtimeKit.Topics;
using RealtimeKit.WebSockets;

namespace System.Net;

/// <summary>
/// WebSockets and event streams on <see cref="HttpListener"/>: <c>await listener.MapWebSocket("/echo", EchoAsync).RunAsync(stop)</c>, or
/// one request at a time, in a loop of one's own.
/// </summary>
public static class HttpListenerRealtimeExtensions
{
    /// <summary>Starts a router with a WebSocket endpoint.</summary>
    /// <inheritdoc cref="HttpListenerRouter.MapWebSocket(string, Func{WebSocketConnection, Task})"/>
    /// <param name="listener">Whose requests are served. Use <see cref="HttpListenerRouter"/> itself where the router needs options.</param>
    /// <param name="path">The path, with the listener's prefix in it.</param>
    /// <param name="handler">Serves one connection, until it returns.</param>
    public static HttpListenerRouter MapWebSocket(this HttpListener listener, string path, Func<WebSocketConnection, Task> handler) =>
        new HttpListenerRouter(listener).MapWebSocket(path, handler);

    /// <summary>Starts a router with an event stream.</summary>
    /// <inheritdoc cref="HttpListenerRouter.MapServerSentEvents(string, Func{ServerSentEventWriter, CancellationToken, Task})"/>
    /// <param name="listener">Whose requests are served. Use <see cref="HttpListenerRouter"/> itself where the router needs options.</param>
    /// <param name="path">The path, with the listener's prefix in it.</param>
    /// <param name="handler">Writes one stream's events, until it returns.</param>
    public static HttpListenerRouter MapServerSentEvents(
        this HttpListener listener, string path, Func<ServerSentEventWriter, CancellationToken, Task> handler) =>
        new HttpListenerRouter(listener).MapServerSentEvents(path, handler);

    /// <summary>Starts a router with topics.</summary>
    /// <inheritdoc cref="HttpListenerRouter.MapTopics(string, TopicHub)"/>
    /// <param name="listener">Whose requests are served. Use <see cref="HttpListenerRouter"/> itself where the router needs options.</param>
    /// <param name="path">The path, with the listener's prefix in it; what is below it is for publishing.</param>
    /// <param name="hub">The topics, which stay the caller's to dispose once the router has stopped.</param>
    public static HttpListenerRouter MapTopics(this HttpListener listener, string path, TopicHub hub) => new HttpListenerRouter(listener).MapTopics(path, hub);

    /// <summary>Starts a router with a plain request.</summary>
    /// <inheritdoc cref="HttpListenerRouter.Map"/>
    /// <param name="listener">Whose requests are served. Use <see cref="HttpListenerRouter"/> itself where the router needs options.</param>
    /// <param name="method">The request's method, with case.</param>
    /// <param name="path">The path, with the listener's prefix in it.</param>
    /// <param name="handler">Writes the response, which is closed when it returns.</param>
    public static HttpListenerRouter Map(
        this HttpListener listener, string method, string path, Func<HttpListenerContext, CancellationToken, Task> handler) =>
        new HttpListenerRouter(listener).Map(method, path, handler);

    /// <summary>Answers the opening handshake of this request, for a server with a loop of its own.</summary>
    /// <remarks>
    /// Dispose the connection (<c>await using</c>): that closes it in order, and ends the TCP connection and the request with it, which
    /// the framework by itself leaves open. Nobody drains such a connection at a shutdown but its owner.
    /// </remarks>
    /// <param name="context">The request.</param>
    /// <param name="options">Subprotocols, origins, limits; the defaults where <see langword="null"/>.</param>
    /// <returns>
    /// The connection, or <see langword="null"/> where the handshake or the origin was refused and the response already says so, or where
    /// the client has gone.
    /// </returns>
    public static async Task<WebSocketConnection?> AcceptWebSocketConnectionAsync(this HttpListenerContext context, HttpListenerWebSocketOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(context);
        var accepted = await WebSocketAcceptor.AcceptAsync(
            context, (options ?? new HttpListenerWebSocketOptions()).Copy(), registry: null, NullLogger.Instance).ConfigureAwait(false);

        // No endpoint sees it end.
        accepted?.Connection.Closed.UnsafeRegister(static accepted => ((AcceptedWebSocket)accepted!).Release(), accepted);
        return accepted?.Connection;
    }

    /// <summary>Answers this request with an event stream, for a server with a loop of its own, and closes the response.</summary>
    /// <param name="context">The request; of any method. Its origin is checked, and its cursor (<see cref="GetLastEventId"/>).</param>
    /// <param name="handler">
    /// Writes the events, until it returns: then the response ends. The token is cancelled once the stream has ended: the client has
    /// gone, or the stream has reached its age. Nobody drains it at a shutdown but its owner.
    /// </param>
    /// <param name="options">How the stream behaves; the defaults where <see langword="null"/>.</param>
    /// <returns>Completes when the stream has ended; fails with what the handler throws, after the connection was ended.</returns>
    public static async Task SendServerSentEventsAsync(
        this HttpListenerContext context, Func<ServerSentEventWriter, CancellationToken, Task> handler, HttpListenerServerSentEventOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(handler);
        var producer = new EventProducer(handler);
        var endpoint = new ServerSentEventEndpoint(
            options ?? HttpListenerServerSentEventOptions.Default, (_, _) => producer, registry: null, ServerSentEventMetrics.For(null), budget: null, NullLogger.Instance);
        try
        {
            await endpoint.InvokeAsync(context).ConfigureAwait(false);
        }
        catch
        {
            context.Abort();
            throw;
        }

        await context.CloseAsync().ConfigureAwait(false);
    }

    /// <summary>
    /// The id of the last event that the client of an event stream has seen, after which the stream shall go on: the
    /// <c>Last-Event-ID</c> header or, where a page was rendered up to some event, the query parameter <c>lastEventId</c>.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <returns>
    /// <see langword="null"/> for a client that has seen none. It is the client's word: at most 4,096 UTF-16 units, no CR, LF and NUL, but
    /// otherwise anything. What is longer or malformed gets 400 from the endpoints, and is <see langword="null"/> here.
    /// </returns>
    public static string? GetLastEventId(this HttpListenerRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return ServerSentEventRequest.Read(request)?.LastEventId;
    }
}
