using System.Net.WebSockets;
using Microsoft.Extensions.Logging;
using RealtimeKit.Topics;
using RealtimeKit.WebSockets;

namespace RealtimeKit;

/// <summary>Runs an application's handler over a connection, and ends the connection before it gives the request back.</summary>
internal sealed partial class WebSocketEndpoint(
    WebSocketEndpointOptions options, Func<WebSocketConnection, HostContext, Task> handler, ConnectionRegistry? registry, ILogger logger)
{
    // All that an idle connection keeps of this is one small state machine: accepting and finishing have their own, and the request's
    // service scope is left to the handler to open.
    public async Task InvokeAsync(HostContext context)
    {
        var accepted = await WebSocketAcceptor.AcceptAsync(context, options, registry, logger).ConfigureAwait(false);
        if (accepted is null)
            return;

        Log.Connected(logger, accepted.UserId, accepted.Connection.SubProtocol);
        Exception? error = null;
        try
        {
            var serving = handler(accepted.Connection, context);
            accepted.Connection.ReadAhead();   // where the handler has something else to wait for first
            await serving.ConfigureAwait(false);
        }
#pragma warning disable CA1031 // Whatever the handler throws: the connection is closed in order, and the exception logged.
        catch (Exception thrown)
#pragma warning restore CA1031
        {
            error = thrown;
        }

        await FinishAsync(accepted, error).ConfigureAwait(false);
    }

    private async Task FinishAsync(AcceptedWebSocket accepted, Exception? error)
    {
        var connection = accepted.Connection;
        if (connection.ShedBytes is > 0 and var bytes)
            Log.Shed(logger, accepted.UserId, bytes);
        try
        {
            if (error is not null && !IsOfPeer(error, connection))
            {
                Log.HandlerFailed(logger, error);
                await connection.CloseAsync(WebSocketCloseStatus.InternalServerError).ConfigureAwait(false);
            }

            // Lingers until the peer has read the last words, and takes the pending read off the server's transport.
            await connection.DisposeAsync().ConfigureAwait(false);
        }
        finally
        {
            accepted.Release();
        }

        if (connection.CloseResult is { } result)
            Log.Closed(logger, (int?)result.Status ?? 1006, LogText.Clean(result.Reason), result.Initiator, result.IsClean);
    }

    // What a handler's loop throws because its peer broke a rule or is gone; it is no failure of the application.
    private bool IsOfPeer(Exception error, WebSocketConnection connection)
    {
        if (connection.State == WebSocketState.Open)
            return false;
        switch (error)
        {
            case WebSocketProtocolException violation:
                Log.ProtocolViolated(logger, violation.Error, violation.Message, (int)violation.CloseStatus);
                return true;
            case WebSocketException or OperationCanceledException:
                Log.HandlerInterrupted(logger, error.Message);
                return true;
            default:
                return false;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(RealtimeEventIds.MemoryShed, LogLevel.Warning, "The process is short of memory: the WebSocket of user {UserId}, which held {Bytes} bytes, is ended.", EventName = nameof(RealtimeEventIds.MemoryShed))]
        public static partial void Shed(ILogger logger, string? userId, long bytes);

        [LoggerMessage(RealtimeEventIds.Connected, LogLevel.Debug, "WebSocket of user {UserId} connected, subprotocol {SubProtocol}.", EventName = nameof(RealtimeEventIds.Connected))]
        public static partial void Connected(ILogger logger, string? userId, string? subProtocol);

        [LoggerMessage(RealtimeEventIds.Closed, LogLevel.Debug, "WebSocket closed with {Status} by {Initiator}, clean: {IsClean}. {Reason}", EventName = nameof(RealtimeEventIds.Closed))]
        public static partial void Closed(ILogger logger, int status, string? reason, WebSocketCloseInitiator initiator, bool isClean);

        [LoggerMessage(RealtimeEventIds.ProtocolViolated, LogLevel.Information, "WebSocket peer broke a rule, closed with {Status}: {Error}. {Description}", EventName = nameof(RealtimeEventIds.ProtocolViolated))]
        public static partial void ProtocolViolated(ILogger logger, WebSocketProtocolError error, string description, int status);

        [LoggerMessage(RealtimeEventIds.HandlerFailed, LogLevel.Error, "A WebSocket handler failed; the connection is closed with 1011.", EventName = nameof(RealtimeEventIds.HandlerFailed))]
        public static partial void HandlerFailed(ILogger logger, Exception error);

        [LoggerMessage(RealtimeEventIds.HandlerInterrupted, LogLevel.Debug, "A WebSocket handler ended because its connection did: {Message}", EventName = nameof(RealtimeEventIds.HandlerInterrupted))]
        public static partial void HandlerInterrupted(ILogger logger, string message);
    }
}
