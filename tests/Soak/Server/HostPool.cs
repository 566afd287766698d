using System.Diagnostics.Metrics;

namespace RealtimeKit.Soak;

/// <summary>How much of the heap rests in the pool of the host's transports, by its own metric. That pool is as large as the peak has made it, and shrinks slowly.</summary>
internal sealed class HostPool : IDisposable
{
    private const long Block = 4096;
    private const long BlockAndOverhead = Block + 24 + 40;   // its array's header, and its owner

    private readonly MeterListener _listener = new();
    private long _bytes;

    public HostPool()
    {
        _listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument is { Meter.Name: "Microsoft.AspNetCore.MemoryPool", Name: "aspnetcore.memory_pool.pooled" })
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((_, value, _, _) => Interlocked.Add(ref _bytes, value));
        _listener.Start();
    }

    public long Bytes => Volatile.Read(ref _bytes) / Block * BlockAndOverhead;

    public void Dispose() => _listener.Dispose();
}
