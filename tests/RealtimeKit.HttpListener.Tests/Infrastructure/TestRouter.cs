using System.Net.ServerSentEvents;
using System.Text.Json.Serialization.Metadata;
using RealtimeKit.ServerSentEvents;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Listener.Tests;

/// <summary>The router with the signatures of the ASP.NET Core adapter, which the shared cases are written for.</summary>
internal sealed class TestRouter(HttpListenerRouter router, Func<Task> stop)
{
    public HttpListenerRouter Router => router;

    public Task StopAsync(CancellationToken cancellationToken) => stop().WaitAsync(cancellationToken);

    public void MapWebSocket(string path, Func<WebSocketConnection, Task> handler) => router.MapWebSocket(path, handler);

    public void MapWebSocket(string path, HttpListenerWebSocketOptions options, Func<WebSocketConnection, Task> handler) =>
        router.MapWebSocket(path, options, handler);

    public void MapServerSentEvents(string path, Func<ServerSentEventWriter, CancellationToken, Task> handler) => router.MapServerSentEvents(path, handler);

    public void MapServerSentEvents(string path, HttpListenerServerSentEventOptions options, Func<ServerSentEventWriter, CancellationToken, Task> handler) =>
        router.MapServerSentEvents(path, options, handler);

    public void MapServerSentEvents(string path, Func<ServerSentEventWriter, ServerSentEventRequest, HttpListenerContext, CancellationToken, Task> handler) =>
        router.MapServerSentEvents(path, (events, context, cancel) => handler(events, ServerSentEventRequest.Read(context.Request)!, context, cancel));

    public void MapServerSentEvents(string path, Func<ServerSentEventRequest, HttpListenerContext, IAsyncEnumerable<SseItem<string>>?> open) =>
        router.MapServerSentEvents(path, context => open(ServerSentEventRequest.Read(context.Request)!, context));

    public void MapServerSentEvents(
        string path, HttpListenerServerSentEventOptions options, Func<ServerSentEventRequest, HttpListenerContext, IAsyncEnumerable<SseItem<string>>?> open) =>
        router.MapServerSentEvents(path, options, context => open(ServerSentEventRequest.Read(context.Request)!, context));

    public void MapServerSentEvents<T>(string path, JsonTypeInfo<T> json, Func<ServerSentEventRequest, HttpListenerContext, IAsyncEnumerable<SseItem<T>>?> open) =>
        router.MapServerSentEvents(path, json, context => open(ServerSentEventRequest.Read(context.Request)!, context));

    public void MapServerSentEvents<T>(string path, JsonTypeInfo<T> json, Func<ServerSentEventRequest, HttpListenerContext, IAsyncEnumerable<T>?> open) =>
        router.MapServerSentEvents(path, json, context => open(ServerSentEventRequest.Read(context.Request)!, context));
}
