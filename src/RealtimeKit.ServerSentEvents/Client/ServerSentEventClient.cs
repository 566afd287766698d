using System.Net.ServerSentEvents;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace RealtimeKit.ServerSentEvents;

/// <summary>
/// Follows an event stream as a browser's <c>EventSource</c> does (WHATWG HTML §9.2), over any <see cref="HttpClient"/> and with any
/// method: it reconnects when a connection ends, with the server's <c>retry</c> time or a growing delay, and resumes after the last
/// event id. Statuses that promise a later success (408, 425, 429, 5xx) count as failures; any other than 200 and a wrong content type
/// end it. Redirects are followed as the handler does (its own: up to 20, never from HTTPS to HTTP, and without <c>Authorization</c>), and
/// each reconnect begins at the original address.
/// </summary>
/// <remarks>
/// An id outside ASCII travels as UTF-8 in <c>Last-Event-ID</c>: a <see cref="SocketsHttpHandler"/> needs its
/// <see cref="SocketsHttpHandler.RequestHeaderEncodingSelector"/> for that, which the client's own handler has.
/// </remarks>
public sealed partial class ServerSentEventClient : IAsyncDisposable
{
    private const int MaxHeadersKilobytes = 16;

    private readonly HttpClient _http;
    private readonly bool _ownsHttp;
    private readonly Uri _uri;
    private readonly ServerSentEventClientOptions _options;
    private readonly ServerSentEventMetrics _metrics;
    private readonly CancellationTokenSource _disposed = new();
    private volatile string? _lastEventId;
    private int _isReading;

    /// <summary>Creates a client with a connection pool of its own, which takes answers with up to 16 KiB of headers.</summary>
    /// <param name="uri">The stream's address.</param>
    /// <param name="options">How to connect; null for the defaults.</param>
    public ServerSentEventClient(Uri uri, ServerSentEventClientOptions? options = null)
        : this(CreateHttpClient(), uri, options) =>
        _ownsHttp = true;

    /// <summary>Creates a client.</summary>
    /// <param name="http">What to send requests with; it is not disposed. Its timeout only covers the wait for headers.</param>
    /// <param name="uri">The stream's address.</param>
    /// <param name="options">How to connect; null for the defaults.</param>
    public ServerSentEventClient(HttpClient http, Uri uri, ServerSentEventClientOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(http);
        ArgumentNullException.ThrowIfNull(uri);
        _http = http;
        _uri = uri;
        _options = options ?? new ServerSentEventClientOptions();
        _metrics = ServerSentEventMetrics.For(_options.MeterFactory);
        _lastEventId = _options.LastEventId;
    }

    /// <summary>Raised at each change of state, on the thread that reads. Handlers shall return soon and not throw.</summary>
    public event EventHandler<ServerSentEventClientStateChangedEventArgs>? StateChanged;

    /// <summary>Where the client stands.</summary>
    public ServerSentEventClientState State { get; private set; }

    /// <summary>The last event id in force, which the next request resumes after; null or empty for none. It may be kept across processes.</summary>
    public string? LastEventId => _lastEventId;

    /// <summary>Reads events with their data as text, across reconnects.</summary>
    /// <param name="cancellationToken">Ends the enumeration.</param>
    /// <returns>
    /// The events. The sequence ends where the server answers 204, and, without reconnecting, at the stream's end. One enumeration at a
    /// time; a later one resumes.
    /// </returns>
    /// <exception cref="ServerSentEventClientException">While enumerating: a permanent error, or too many failures.</exception>
    /// <exception cref="ServerSentEventLimitException">While enumerating: the stream breaks a limit.</exception>
    /// <exception cref="OperationCanceledException">While enumerating: the token was cancelled, or the client disposed.</exception>
    /// <exception cref="InvalidOperationException">While enumerating: another enumeration is under way.</exception>
    public IAsyncEnumerable<SseItem<string>> ReadAllAsync(CancellationToken cancellationToken = default) =>
        ReadAsync(new TextItemFactory(), cancellationToken);

    /// <summary>Reads events, making each one's data with a delegate that sees the bytes.</summary>
    /// <inheritdoc cref="ReadAllAsync(CancellationToken)"/>
    /// <param name="parse">Makes a value of an event's type and data. The span is valid during the call.</param>
    /// <param name="cancellationToken">Ends the enumeration.</param>
    public IAsyncEnumerable<SseItem<T>> ReadAllAsync<T>(SseItemParser<T> parse, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(parse);
        return ReadAsync(new DelegateItemFactory<T>(parse), cancellationToken);
    }

    /// <summary>Reads events whose data is JSON.</summary>
    /// <inheritdoc cref="ReadAllAsync(CancellationToken)"/>
    /// <param name="json">How to read a value.</param>
    /// <param name="cancellationToken">Ends the enumeration.</param>
    /// <exception cref="JsonException">While enumerating: an event's data is not the JSON that is asked for.</exception>
    public IAsyncEnumerable<SseItem<T?>> ReadAllAsync<T>(JsonTypeInfo<T> json, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(json);
        return ReadAsync(new JsonItemFactory<T>(json), cancellationToken);
    }

    /// <summary>Ends an enumeration that is under way.</summary>
    /// <returns>Completes at once; the enumeration ends on its own.</returns>
    public async ValueTask DisposeAsync()
    {
        await _disposed.CancelAsync().ConfigureAwait(false);
        if (_ownsHttp)
            _http.Dispose();
    }

    private static HttpClient CreateHttpClient() => new(new SocketsHttpHandler
    {
        MaxResponseHeadersLength = MaxHeadersKilobytes,

        // Fetch §4.4, "HTTP-redirect fetch": the twenty-first is an error.
        MaxAutomaticRedirections = 20,

        // WHATWG HTML §9.2.3: the last event id is sent UTF-8 encoded.
        RequestHeaderEncodingSelector = static (name, _) =>
            name.Equals("Last-Event-ID", StringComparison.OrdinalIgnoreCase) ? System.Text.Encoding.UTF8 : null,
    })
    { Timeout = Timeout.InfiniteTimeSpan };

    private void SetState(ServerSentEventClientState state, Exception? error = null, TimeSpan? delay = null)
    {
        State = state;
        StateChanged?.Invoke(this, new ServerSentEventClientStateChangedEventArgs(state, error, delay));
    }
}
