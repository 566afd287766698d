using Microsoft.Extensions.Logging;
using RealtimeKit.ServerSentEvents;
using RealtimeKit.Topics;
using RealtimeKit.WebSockets;

namespace RealtimeKit;

/// <summary>What writes a stream's events, until it returns.</summary>
internal delegate Task EventProducer(ServerSentEventWriter writer, CancellationToken closed);

/// <summary>Runs an application's handler over an event stream, from the check of the request to the end of the response.</summary>
internal sealed partial class ServerSentEventEndpoint(
    ServerSentEventEndpointOptions options,
    Func<ServerSentEventRequest, HostContext, EventProducer?> open,
    ConnectionRegistry? registry,
    ServerSentEventMetrics metrics,
    RealtimeMemoryBudget? budget,
    ILogger logger)
{
    public async Task InvokeAsync(HostContext context)
    {
        if (await StartAsync(context).ConfigureAwait(false) is not { } stream)
            return;

        var hasFailed = true;
        try
        {
            var handler = await stream.StartAsync(ServerSentEventAcceptor.AbortedOf(context)).ConfigureAwait(false);
            await handler.ConfigureAwait(false);
            hasFailed = false;
        }
        catch (OperationCanceledException) when (stream.Writer.IsClosed)
        {
            // How a handler's wait or write ends once its stream has.
            hasFailed = false;
        }
        finally
        {
            // What else it throws is the server's to log; the server then cuts the response off, so that it does not look complete.
            var end = await stream.ReleaseAsync(hasFailed).ConfigureAwait(false);
            if (end == ServerSentEventEnd.Shed)
                Log.Shed(logger, stream.UserId, stream.ShedBytes);
            Log.Ended(logger, end, stream.Age.TotalSeconds);
        }
    }

    /// <summary>Checks the request and sends the headers.</summary>
    /// <returns><see langword="null"/> where there is no stream to serve.</returns>
    private async ValueTask<ServerSentEventStream?> StartAsync(HostContext context)
    {
        var isStarted = false;
        try
        {
            if (await ServerSentEventAcceptor.AcceptAsync(context, options, logger).ConfigureAwait(false) is not { } request)
                return null;

            // May throw, or set a status: the response has not started.
            if (open(request, context) is not { } producer)
            {
                ServerSentEventAcceptor.Refuse(context, logger);
                return null;
            }

            if (await ServerSentEventAcceptor.StartAsync(context).ConfigureAwait(false) is not { } output)
                return null;
            var session = context.FindSession();
            Log.Opened(logger, session?.UserId, request.LastEventId is not null);
            isStarted = true;
            return new ServerSentEventStream(context, output, producer, options, registry, session, metrics, budget);
        }
        finally
        {
            if (!isStarted)
                context.FindSession()?.Dispose();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(RealtimeEventIds.StreamOpened, LogLevel.Debug, "Event stream of user {UserId} opened, resuming: {IsResuming}.", EventName = nameof(RealtimeEventIds.StreamOpened))]
        public static partial void Opened(ILogger logger, string? userId, bool isResuming);

        [LoggerMessage(RealtimeEventIds.StreamShed, LogLevel.Warning, "The process is short of memory: the event stream of user {UserId}, for which {Bytes} bytes waited, is cut off.", EventName = nameof(RealtimeEventIds.StreamShed))]
        public static partial void Shed(ILogger logger, string? userId, long bytes);

        [LoggerMessage(RealtimeEventIds.StreamEnded, LogLevel.Debug, "Event stream ended after {Seconds:0.0} s: {Reason}.", EventName = nameof(RealtimeEventIds.StreamEnded))]
        public static partial void Ended(ILogger logger, ServerSentEventEnd reason, double seconds);
    }
}
