using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace RealtimeKit.AspNetCore;

/// <summary>
/// The open connections of a host, WebSockets and event streams, so that its shutdown says goodbye to all of them: Kestrel alone would
/// wait for them until the shutdown timeout, 30 seconds, and then cut them off. An intrusive list: a connection costs no entry,
/// registration or token.
/// </summary>
internal sealed class ConnectionRegistry
{
    private static readonly ConditionalWeakTable<IHostApplicationLifetime, ConnectionRegistry> Registries = [];
    private static readonly TimeSpan LongestDrain = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly TimeSpan _drainTimeout;
    private readonly TaskCompletionSource _isEmpty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IOpenConnection? _first;
    private bool _isStopping;

    private ConnectionRegistry(IHostApplicationLifetime lifetime, TimeSpan shutdownTimeout)
    {
        // The host's own timeout must never be what ends a drain.
        _drainTimeout = TimeSpan.FromTicks(Math.Min(LongestDrain.Ticks, shutdownTimeout.Ticks / 2));
        lifetime.ApplicationStopping.UnsafeRegister(static registry => ThreadPool.UnsafeQueueUserWorkItem(
            static registry => _ = registry.DrainAsync(), (ConnectionRegistry)registry!, preferLocal: false), this);
    }

    /// <summary>The registry of a host; <see langword="null"/> where there is no host to stop.</summary>
    public static ConnectionRegistry? For(IServiceProvider services)
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
                Registries.Add(lifetime, registry = new ConnectionRegistry(lifetime, timeout));
            }
        }

        return registry;
    }

    public void Add(IOpenConnection connection)
    {
        bool isLate;
        lock (_lock)
        {
            connection.NextOpen = _first;
            if (_first is not null)
                _first.PreviousOpen = connection;
            _first = connection;
            isLate = _isStopping;
        }

        if (isLate)
            _ = connection.GoAwayAsync(CancellationToken.None);
    }

    public void Remove(IOpenConnection connection)
    {
        lock (_lock)
        {
            if (connection.PreviousOpen is { } previous)
                previous.NextOpen = connection.NextOpen;
            else if (_first == connection)
                _first = connection.NextOpen;
            if (connection.NextOpen is { } next)
                next.PreviousOpen = connection.PreviousOpen;
            connection.NextOpen = connection.PreviousOpen = null;
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
        await Task.WhenAll(List().Select(connection => connection.GoAwayAsync(deadline.Token))).ConfigureAwait(false);

        // A handler that is busy with something else is told through RequestAborted that nobody is left to serve.
        try
        {
            await _isEmpty.Task.WaitAsync(deadline.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            foreach (var connection in List())
                connection.Abort();
        }
    }

    private List<IOpenConnection> List()
    {
        var list = new List<IOpenConnection>();
        lock (_lock)
        {
            for (var connection = _first; connection is not null; connection = connection.NextOpen)
                list.Add(connection);
        }

        return list;
    }
}
