using System.Collections.Concurrent;

namespace RealtimeKit.Listener.Tests;

/// <summary>Counts objects that something still holds.</summary>
internal sealed class LiveObjects
{
    private readonly ConcurrentQueue<WeakReference> _references = [];

    public int Added => _references.Count;

    public int Alive
    {
        get
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            GC.Collect();
            return _references.Count(reference => reference.IsAlive);
        }
    }

    public void Add(object value) => _references.Enqueue(new WeakReference(value));
}
