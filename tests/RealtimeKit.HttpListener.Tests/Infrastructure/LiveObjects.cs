using System.Collections.Concurrent;

namespace RealtimeKit.Listener.Tests;

/// <summary>Holds objects, so that no finalizer cleans up after them, then lets them go and counts those that something else holds.</summary>
internal sealed class LiveObjects
{
    private readonly ConcurrentQueue<object> _held = [];
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

    public void Add(object value)
    {
        _held.Enqueue(value);
        _references.Enqueue(new WeakReference(value));
    }

    public void Release() => _held.Clear();
}
