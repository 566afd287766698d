using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace RealtimeKit.AspNetCore;

/// <summary>The registry of each host, drained when the host stops.</summary>
internal static class HostConnections
{
    private static readonly ConditionalWeakTable<IHostApplicationLifetime, ConnectionRegistry> Registries = [];
    private static readonly TimeSpan LongestDrain = TimeSpan.FromSeconds(5);

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
                Registries.Add(lifetime, registry = Create(lifetime, timeout));
            }
        }

        return registry;
    }

    private static ConnectionRegistry Create(IHostApplicationLifetime lifetime, TimeSpan shutdownTimeout)
    {
        // The host's own timeout must never be what ends a drain.
        var timeout = TimeSpan.FromTicks(Math.Min(LongestDrain.Ticks, shutdownTimeout.Ticks / 2));
        var registry = new ConnectionRegistry();
        lifetime.ApplicationStopping.UnsafeRegister(
            static state => ThreadPool.UnsafeQueueUserWorkItem(
                static state => _ = state.Registry.DrainAsync(state.Timeout), ((ConnectionRegistry Registry, TimeSpan Timeout))state!, preferLocal: false),
            (registry, timeout));
        return registry;
    }
}
