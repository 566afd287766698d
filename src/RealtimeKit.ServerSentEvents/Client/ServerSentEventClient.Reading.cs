using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Text;

namespace RealtimeKit.ServerSentEvents;

public sealed partial class ServerSentEventClient
{
    private static readonly ActivitySource Activities = new(ServerSentEventMetrics.MeterName);

    private bool Reconnects => _options.Reconnect ?? (_options.Method == HttpMethod.Get || _options.Method == HttpMethod.Head);

    private async IAsyncEnumerable<SseItem<T>> ReadAsync<T>(
        ServerSentEventItemFactory<T> factory, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed.IsCancellationRequested, this);
        if (Interlocked.Exchange(ref _isReading, 1) != 0)
            throw new InvalidOperationException("The client is being read already.");

        var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _disposed.Token);
        var assembler = CreateAssembler();
        var schedule = new ReconnectSchedule(_options);
        try
        {
            while (true)
            {
                SetState(ServerSentEventClientState.Connecting);
                var (connection, error) = await ConnectTracedAsync(assembler, schedule.Failures, linked.Token).ConfigureAwait(false);
                _metrics.Connected(error);
                if (connection is not null)
                {
                    SetState(ServerSentEventClientState.Open);
                    var opened = _options.TimeProvider.GetTimestamp();
                    var hasEvents = false;
                    await using (connection.ConfigureAwait(false))
                    {
                        var hasMore = true;
                        while (hasMore)
                        {
                            while (TryRead(connection, assembler, factory, out var item))
                            {
                                hasEvents = true;
                                yield return item;
                            }

                            (hasMore, error) = await connection.FillAsync().ConfigureAwait(false);
                        }
                    }

                    if ((error is null && hasEvents) || _options.TimeProvider.GetElapsedTime(opened) >= _options.ResetThreshold)
                        schedule.CountSuccess();
                    else
                        schedule.CountFailure();
                }
                else
                {
                    schedule.CountFailure();
                }

                if (MustEnd(error, schedule))
                {
                    SetState(ServerSentEventClientState.Closed, error);
                    if (error is null or ServerSentEventClientException { Error: ServerSentEventClientError.NoContent })
                        yield break;
                    throw error;
                }

                var delay = schedule.GetDelay(assembler.ReconnectionTime, GetRetryAfter(error));
                SetState(ServerSentEventClientState.Waiting, error, delay);
                await Task.Delay(delay, _options.TimeProvider, linked.Token).ConfigureAwait(false);
                _metrics.Reconnecting(error);
            }
        }
        finally
        {
            assembler.Dispose();
            linked.Dispose();
            Volatile.Write(ref _isReading, 0);
            if (State != ServerSentEventClientState.Closed)
                SetState(ServerSentEventClientState.Closed);
        }
    }

    private bool MustEnd(Exception? error, ReconnectSchedule schedule) =>
        !Reconnects || error is ServerSentEventClientException { IsTransient: false } || (error is not null && schedule.Failures >= _options.MaxFailures);

    private ServerSentEventAssembler CreateAssembler()
    {
        var parser = _options.Parser;
        var assembler = new ServerSentEventAssembler(new ServerSentEventParserOptions
        {
            MaxLineLength = parser.MaxLineLength,
            MaxEventLength = parser.MaxEventLength,
            MaxEventTypeLength = parser.MaxEventTypeLength,
            MaxIdLength = parser.MaxIdLength,
            IncludeComments = _options.OnComment is not null,
            IncludeRetries = _options.OnRetry is not null,
        });
        if (_lastEventId is { } id)
            assembler.SetLastEventId(Encoding.UTF8.GetBytes(id));
        return assembler;
    }

    private bool TryRead<T>(
        ServerSentEventConnection connection, ServerSentEventAssembler assembler, ServerSentEventItemFactory<T> factory, out SseItem<T> item)
    {
        while (connection.TryRead(out var view))
        {
            switch (view.Kind)
            {
                case ServerSentEventItemKind.Comment:
                    _options.OnComment?.Invoke(Encoding.UTF8.GetString(view.Data));
                    continue;
                case ServerSentEventItemKind.Retry:
                    _options.OnRetry?.Invoke(assembler.ReconnectionTime ?? default);
                    continue;
            }

            item = factory.Create(view);
            UpdateLastEventId(view.LastEventId, item.EventId);
            return true;
        }

        // Blocks without data move the cursor too.
        UpdateLastEventId(assembler.LastEventId, null);
        item = default;
        return false;
    }

    private void UpdateLastEventId(ReadOnlySpan<byte> id, string? text)
    {
        if (text is not null)
        {
            _lastEventId = text;
            return;
        }

        var known = _lastEventId ?? "";
        if (id.Length == known.Length && Ascii.Equals(id, known))
            return;
        if (Encoding.UTF8.GetString(id) is var changed && changed != known)
            _lastEventId = changed;
    }

    // Neither the path nor the query is told: they may hold a secret.
    private async ValueTask<(ServerSentEventConnection? Connection, Exception? Error)> ConnectTracedAsync(
        ServerSentEventAssembler assembler, int failures, CancellationToken cancellationToken)
    {
        using var activity = Activities.HasListeners() ? Activities.StartActivity("sse connect", ActivityKind.Client) : null;
        if (activity is not null && (_uri.IsAbsoluteUri ? _uri : _http.BaseAddress) is { } server)
            activity.SetTag("server.address", server.Host).SetTag("server.port", server.Port);
        if (failures > 0)
            activity?.SetTag("http.request.resend_count", failures);
        var (connection, error) = await ConnectAsync(assembler, cancellationToken).ConfigureAwait(false);
        if (error is not null)
            activity?.SetTag("error.type", ServerSentEventMetrics.ErrorType(error)).SetStatus(ActivityStatusCode.Error);
        return (connection, error);
    }

    /// <summary>Sends one request. Gives the connection, or what went wrong; throws only when reading is to end.</summary>
    private async ValueTask<(ServerSentEventConnection? Connection, Exception? Error)> ConnectAsync(
        ServerSentEventAssembler assembler, CancellationToken cancellationToken)
    {
        HttpResponseMessage? response = null;
        using var timeout = new CancellationTokenSource(_options.ConnectTimeout, _options.TimeProvider);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            using var request = await CreateRequestAsync(stop.Token).ConfigureAwait(false);
            response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop.Token).ConfigureAwait(false);
            if (GetRefusal(response) is { } refusal)
            {
                response.Dispose();
                return (null, refusal);
            }

            var stream = await response.Content.ReadAsStreamAsync(stop.Token).ConfigureAwait(false);
            assembler.Reset();
            return (new ServerSentEventConnection(response, stream, assembler, _options, cancellationToken), null);
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            response?.Dispose();
            throw new OperationCanceledException(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            response?.Dispose();
            return (null, new ServerSentEventClientException(ServerSentEventClientError.Timeout, "The server did not answer in time."));
        }
        catch (Exception error) when (error is HttpRequestException or IOException)
        {
            response?.Dispose();
            // .NET's own words name what is wrong with the certificate, and nothing else.
            return (null, error is HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError, InnerException: AuthenticationException refused }
                ? new ServerSentEventClientException(ServerSentEventClientError.Certificate, $"TLS could not be established, {refused.Message}", error)
                : new ServerSentEventClientException(ServerSentEventClientError.ConnectionLost, "The server could not be reached.", error));
        }
    }

    private async ValueTask<HttpRequestMessage> CreateRequestAsync(CancellationToken cancellationToken)
    {
        var request = new HttpRequestMessage(_options.Method, _uri)
        {
            Version = _http.DefaultRequestVersion,
            VersionPolicy = _http.DefaultVersionPolicy,
            Content = _options.CreateContent?.Invoke(),
        };
        try
        {
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
            request.Headers.CacheControl = new CacheControlHeaderValue { NoCache = true };
            if (!string.IsNullOrEmpty(_lastEventId))
                request.Headers.TryAddWithoutValidation("Last-Event-ID", _lastEventId);
            if (_options.ConfigureRequest is { } configure)
                await configure(request, cancellationToken).ConfigureAwait(false);
            return request;
        }
        catch
        {
            request.Dispose();
            throw;
        }
    }

    private static ServerSentEventClientException? GetRefusal(HttpResponseMessage response)
    {
        if (response.StatusCode == HttpStatusCode.NoContent)
            return new(ServerSentEventClientError.NoContent, "The server has no more events for this client (204).", response);
        if (response.StatusCode != HttpStatusCode.OK)
            return new(ServerSentEventClientError.Status, $"The server answered with status {(int)response.StatusCode}.", response);
        if (!IsEventStream(response.Content.Headers))
            return new(ServerSentEventClientError.ContentType, "The server's answer is not an event stream.", response);
        return null;
    }

    // The essence alone counts, whatever parameters follow it and however they are written (MIME Sniffing §4.4).
    private static bool IsEventStream(HttpContentHeaders headers)
    {
        if (!headers.NonValidated.TryGetValues("Content-Type", out var values) || values.Count != 1)
            return false;
        var value = values.ToString().AsSpan();
        var end = value.IndexOf(';');
        return (end < 0 ? value : value[..end]).Trim(" \t").Equals("text/event-stream", StringComparison.OrdinalIgnoreCase);
    }

    private TimeSpan? GetRetryAfter(Exception? error)
    {
        var header = (error as ServerSentEventClientException)?.Headers?.RetryAfter;
        return header?.Delta ?? (header?.Date - _options.TimeProvider.GetUtcNow());
    }
}
