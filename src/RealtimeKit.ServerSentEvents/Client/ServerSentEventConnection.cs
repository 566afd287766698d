namespace RealtimeKit.ServerSentEvents;

/// <summary>One answer of the server: its stream, and the timeout that guards it.</summary>
internal sealed class ServerSentEventConnection : IAsyncDisposable
{
    private readonly HttpResponseMessage _response;
    private readonly StreamEventSource _source;
    private readonly CancellationTokenSource _timeout;
    private readonly CancellationTokenSource _stop;
    private readonly CancellationToken _cancellation;
    private readonly ServerSentEventClientOptions _options;

    public ServerSentEventConnection(
        HttpResponseMessage response, Stream stream, ServerSentEventAssembler assembler, ServerSentEventClientOptions options, CancellationToken cancellationToken)
    {
        _response = response;
        _source = new StreamEventSource(stream, assembler);
        _options = options;
        _cancellation = cancellationToken;
        _timeout = new CancellationTokenSource(Timeout.InfiniteTimeSpan, options.TimeProvider);
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _timeout.Token);
    }

    public bool TryRead(out ServerSentEventView item) => _source.TryRead(out item);

    /// <summary>Waits for more. False at the stream's end; the error is set where the connection broke.</summary>
    public async ValueTask<(bool HasMore, Exception? Error)> FillAsync()
    {
        try
        {
            _timeout.CancelAfter(_options.ReadTimeout);
            var hasMore = await _source.FillAsync(_stop.Token).ConfigureAwait(false);
            _timeout.CancelAfter(Timeout.InfiniteTimeSpan);
            return (hasMore, null);
        }
        catch (Exception) when (_cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException(_cancellation);
        }
        catch (OperationCanceledException) when (_timeout.IsCancellationRequested)
        {
            return (false, new ServerSentEventClientException(ServerSentEventClientError.Timeout, "The server sent nothing for too long."));
        }
        catch (Exception error) when (error is IOException or HttpRequestException or OperationCanceledException)
        {
            return (false, new ServerSentEventClientException(ServerSentEventClientError.ConnectionLost, "The connection to the server broke.", error));
        }
    }

    public ValueTask DisposeAsync()
    {
        // The assembler outlives the connection: it carries the last event id to the next.
        _source.Release();
        _response.Dispose();
        _stop.Dispose();
        _timeout.Dispose();
        return default;
    }
}
