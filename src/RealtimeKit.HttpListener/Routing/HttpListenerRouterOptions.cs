using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace System.Net;

/// <summary>How a router serves its listener. Every value has a safe default and is validated where it is set. Immutable.</summary>
public sealed class HttpListenerRouterOptions
{
    internal static HttpListenerRouterOptions Default { get; } = new();

    /// <summary>
    /// How many requests are served at once, open WebSockets and event streams included; those beyond are answered with 503.
    /// Default: 10,000.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int MaxConcurrentRequests
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
            field = value;
        }
    } = 10_000;

    /// <summary>
    /// How long a request's target may be, path and query as they stand in the request line, in characters; a longer one is answered with
    /// 414. The framework has read it by then, whatever its length: a proxy in front is what keeps that from a hostile network.
    /// Default: 16,384.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int MaxUrlLength
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
            field = value;
        }
    } = 16 * 1024;

    /// <summary>
    /// How long a stop waits for what is being served: WebSockets are closed with 1001, event streams end with a <c>retry</c>, other
    /// requests may finish. What is left then is aborted. Default: 5 s.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public TimeSpan DrainTimeout
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero);
            field = value;
        }
    } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Where failures of handlers (error), refused requests (information) and connections (debug) are logged, in the category
    /// <c>RealtimeKit.HttpListener</c>, what is refused of topics in <c>RealtimeKit.HttpListener.Topics</c>. Default: nowhere.
    /// </summary>
    public ILoggerFactory LoggerFactory { get; init => field = value ?? throw new ArgumentNullException(nameof(value)); } = NullLoggerFactory.Instance;

    /// <summary>
    /// Makes the meters <c>RealtimeKit.WebSockets</c> and <c>RealtimeKit.ServerSentEvents</c> of what is mapped; an endpoint's
    /// <see cref="RealtimeKit.WebSockets.WebSocketConnectionOptions.MeterFactory"/> goes first. Default: <see langword="null"/>, the
    /// process's own meters of these names.
    /// </summary>
    public IMeterFactory? MeterFactory { get; init; }

    /// <summary>
    /// The memory that the WebSockets and event streams of what is mapped may hold together; for WebSockets an endpoint's
    /// <see cref="RealtimeKit.WebSockets.WebSocketConnectionOptions.MemoryBudget"/> goes first. Default: <see langword="null"/>, no budget.
    /// </summary>
    public RealtimeKit.WebSockets.RealtimeMemoryBudget? MemoryBudget { get; init; }
}
