using System.Net.WebSockets;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace RealtimeKit.AspNetCore;

/// <summary>
/// The open connections of a host, so that its shutdown says goodbye (1001) to all of them: Kestrel alone would wait for them until
/// the shutdown timeout, 30 seconds, and then cut them off. An intrusive list: a connection costs no entry, registration or token.
/// </summary>
internal sealed class WebSocketRegistry
{
    private static readonly ConditionalWeakTable<IHostApplicationLifetime, WebSocketRegistry> Registries = [];
    private static readonly TimeSpan LongestDrain = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly TimeSpan _drainTimeout;
    private readonly TaskCompletionSource _isEmpty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private AcceptedWebSocket? _first;
    private bool _isStopping;

    private WebSocketRegistry(IHostApplicationLifetime lifetime, TimeSpan shutdownTimeout)
    {
        // The host's own timeout must never be what ends a drain.
        _drainTimeout = TimeSpan.FromTicks(Math.Min(LongestDrain.Ticks, shutdownTimeout.Ticks / 2));
        lifetime.ApplicationStopping.UnsafeRegister(static registry => ThreadPool.UnsafeQueueUserWorkItem(
            static registry => _ = registry.DrainAsync(), (WebSocketRegistry)registry!, preferLocal: false), this);
    }

    /// <summary>The registry of a host; <see langword="null"/> where there is no host to stop.</summary>
    public static WebSocketRegistry? For(IServiceProvider services)
    {
        if (services.GetService<IHostApplicationLifetime>() is not { } lifetime)
            return null;
        if (Registries.TryGetValue(lifetime, out var registry))
            return registry;

        // One registration even when the first connections race.
        lock (Registries)
        {
            if (!Registries.TryGetValue(lifetime, out registry))
            {
                var timeout = services.GetService<IOptions<HostOptions>>()?.Value.ShutdownTimeout ?? TimeSpan.FromSeconds(30);
                Registries.Add(lifetime, registry = new WebSocketRegistry(lifetime, timeout));
            }
        }

        return registry;
    }

    public void Add(AcceptedWebSocket accepted)
    {
        bool isLate;
        lock (_lock)
        {
            accepted.Next = _first;
            if (_first is not null)
                _first.Previous = accepted;
            _first = accepted;
            isLate = _isStopping;
        }

        if (isLate)
            _ = GoAwayAsync(accepted, CancellationToken.None);
    }

    public void Remove(AcceptedWebSocket accepted)
    {
        lock (_lock)
        {
            if (accepted.Previous is { } previous)
                previous.Next = accepted.Next;
            else if (_first == accepted)
                _first = accepted.Next;
            if (accepted.Next is { } next)
                next.Previous = accepted.Previous;
            accepted.Next = accepted.Previous = null;
            if (_isStopping && _first is null)
                _isEmpty.TrySetResult();
        }
    }

    private async Task DrainAsync()
    {
        lock (_lock)
        {
            _isStopping = true;
            if (_first is null)
                return;
        }

        using var deadline = new CancellationTokenSource(_drainTimeout);
        await Task.WhenAll(List().Select(accepted => GoAwayAsync(accepted, deadline.Token))).ConfigureAwait(false);

        // A handler that is busy with something else is told through RequestAborted that nobody is left to serve.
        try
        {
            await _isEmpty.Task.WaitAsync(deadline.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            foreach (var accepted in List())
                accepted.Abort();
        }
    }

    private List<AcceptedWebSocket> List()
    {
        var list = new List<AcceptedWebSocket>();
        lock (_lock)
        {
            for (var accepted = _first; accepted is not null; accepted = accepted.Next)
                list.Add(accepted);
        }

        return list;
    }

    private static async Task GoAwayAsync(AcceptedWebSocket accepted, CancellationToken deadline)
    {
        try
        {
            await accepted.Connection.CloseAsync(WebSocketCloseStatus.EndpointUnavailable, cancellationToken: deadline).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // CloseAsync has aborted the connection.
        }
    }
}
