using Microsoft.Extensions.Logging;
using RealtimeKit.Listener;
using RealtimeKit.Topics;

namespace System.Net;

public sealed partial class HttpListenerRouter
{
    // How long after a drain the handlers of aborted connections may take to end.
    private static readonly TimeSpan AbortTimeout = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource _isIdle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _active = 1;   // the run itself

    /// <summary>
    /// Serves requests until the token is cancelled or the listener is stopped. On cancellation nothing new is served (503), WebSockets
    /// are closed with 1001, event streams end with a <c>retry</c> that spreads their clients' return, other requests may finish; what is
    /// left at <see cref="HttpListenerRouterOptions.DrainTimeout"/> is aborted. Then the listener is stopped.
    /// </summary>
    /// <param name="cancellationToken">Stops the router, in order.</param>
    /// <returns>Completes, without an exception, when the router has stopped.</returns>
    /// <exception cref="InvalidOperationException">
    /// The router ran before, or <see cref="HttpListener.IgnoreWriteExceptions"/> is set: a client that has gone would not be noticed.
    /// </exception>
    /// <exception cref="HttpListenerException">The listener cannot be started: an address is in use, or malformed.</exception>
    public async Task RunAsync(CancellationToken cancellationToken = default)
    {
        if (_listener.IgnoreWriteExceptions)
            throw new InvalidOperationException("Leave HttpListener.IgnoreWriteExceptions off: a failing write is how a client that has gone shows.");
        if (Interlocked.Exchange(ref _isSealed, true))
            throw new InvalidOperationException("A router runs once.");

        _listener.Start();
        var accepting = AcceptAsync();
        try
        {
            await accepting.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            Log.Stopping(_logger);
        }

        // While the drain lasts, requests are still taken, and refused.
        await _stopping.CancelAsync().ConfigureAwait(false);
        if (Interlocked.Decrement(ref _active) == 0)
            _isIdle.TrySetResult();
        await _registry.DrainAsync(_options.DrainTimeout).ConfigureAwait(false);
        try
        {
            await _isIdle.Task.WaitAsync(AbortTimeout, CancellationToken.None).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            Log.HandlersLeft(_logger, Volatile.Read(ref _active));
        }

        if (_listener.IsListening)
            _listener.Stop();
        await accepting.ConfigureAwait(false);
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            try
            {
                var context = await _listener.GetContextAsync().ConfigureAwait(false);
                ThreadPool.UnsafeQueueUserWorkItem(static work => _ = work.Router.ServeAsync(work.Context), (Router: this, Context: context), preferLocal: false);
            }
#pragma warning disable CA1031 // Of several types, by platform and by how the listener was stopped.
            catch (Exception) when (!_listener.IsListening)
            {
                return;
            }
            catch (Exception error)
#pragma warning restore CA1031
            {
                // One request's fault, such as malformed credentials. Should it be the listener's, this must not spin.
                Log.AcceptFailed(_logger, error);
                await Task.Delay(10).ConfigureAwait(false);
            }
        }
    }

    private async Task ServeAsync(HttpListenerContext context)
    {
        try
        {
            if (Interlocked.Increment(ref _active) > _options.MaxConcurrentRequests + 1 || _stopping.IsCancellationRequested)
            {
                Log.Refused(_logger, 503);
                context.Response.Headers["Retry-After"] = "1";
                await context.RespondAsync(503, "The server cannot serve this request now.").ConfigureAwait(false);
            }
            else
            {
                await RouteAsync(context).ConfigureAwait(false);
            }
        }
#pragma warning disable CA1031 // Whatever the handler throws: it is logged, and the client is told as far as that is still possible.
        catch (Exception error)
#pragma warning restore CA1031
        {
            Log.HandlerFailed(_logger, error);
            await context.RespondAsync(500, "The server failed to serve this request.").ConfigureAwait(false);
        }
        finally
        {
            if (Interlocked.Decrement(ref _active) == 0)
                _isIdle.TrySetResult();
        }
    }

    private Task RouteAsync(HttpListenerContext context)
    {
        if (context.Request.RawUrl?.Length > _options.MaxUrlLength)
        {
            Log.Refused(_logger, 414);
            return context.RespondAsync(414, "The request's target is too long.");
        }

        if (_routes.Find(context.Request.Url) is not { } route)
        {
            Log.Refused(_logger, 404);
            return context.RespondAsync(404, "There is nothing at this path.");
        }

        if (route.Find(context.Request) is { } handler)
            return handler(context, _stopping.Token);
        Log.Refused(_logger, 405);
        context.Response.Headers["Allow"] = route.Allow;
        return context.RespondAsync(405, "This path does not answer this method.");
    }

    private static partial class Log
    {
        [LoggerMessage(RealtimeEventIds.RouterStopping, LogLevel.Debug, "Stopping: connections are told, and no more requests are served.", EventName = nameof(RealtimeEventIds.RouterStopping))]
        public static partial void Stopping(ILogger logger);

        [LoggerMessage(RealtimeEventIds.HandlersLeft, LogLevel.Warning, "{Count} handlers did not end after their connections were aborted.", EventName = nameof(RealtimeEventIds.HandlersLeft))]
        public static partial void HandlersLeft(ILogger logger, int count);

        [LoggerMessage(RealtimeEventIds.AcceptFailed, LogLevel.Error, "A request could not be accepted.", EventName = nameof(RealtimeEventIds.AcceptFailed))]
        public static partial void AcceptFailed(ILogger logger, Exception error);

        [LoggerMessage(RealtimeEventIds.RequestRefused, LogLevel.Debug, "Request refused with {StatusCode}.", EventName = nameof(RealtimeEventIds.RequestRefused))]
        public static partial void Refused(ILogger logger, int statusCode);

        [LoggerMessage(RealtimeEventIds.RequestHandlerFailed, LogLevel.Error, "A handler failed; the response is 500, or cut off where it had begun.", EventName = nameof(RealtimeEventIds.RequestHandlerFailed))]
        public static partial void HandlerFailed(ILogger logger, Exception error);
    }
}
