using System.Diagnostics.CodeAnalysis;

namespace RealtimeKit.WebSockets;

/// <summary>
/// A lock for a few hundred nanoseconds: one atomic operation to enter and a plain store to leave, a third of what
/// <see cref="Lock"/> costs, which counts where it is taken for every message. Whoever finds it taken spins and soon yields. The
/// thread that holds it may enter it again.
/// </summary>
internal struct Gate
{
    // Environment.CurrentManagedThreadId costs twice as much as reading this.
    [ThreadStatic]
    private static int _thisThread;

    private int _owner;
    private int _depth;

    /// <summary>Enters; disposing the scope leaves.</summary>
    [UnscopedRef]
    public Scope Enter()
    {
        var thread = _thisThread;
        if (thread == 0)
            _thisThread = thread = Environment.CurrentManagedThreadId;
        if (Interlocked.CompareExchange(ref _owner, thread, 0) != 0)
            EnterContended(thread);
        return new Scope(ref this);
    }

    /// <summary>Whether entering would have to wait now.</summary>
    public readonly bool IsTakenByAnother => Volatile.Read(in _owner) is not 0 and var owner && owner != Environment.CurrentManagedThreadId;

    /// <summary>Whether this thread is inside.</summary>
    public readonly bool IsTakenHere => Volatile.Read(in _owner) == Environment.CurrentManagedThreadId;

    private void EnterContended(int thread)
    {
        if (_owner == thread)
        {
            _depth++;
            return;
        }

        var spin = default(SpinWait);
        do
        {
            spin.SpinOnce();
        }
        while (Volatile.Read(ref _owner) != 0 || Interlocked.CompareExchange(ref _owner, thread, 0) != 0);
    }

    private void Exit()
    {
        if (_depth == 0)
            Volatile.Write(ref _owner, 0);
        else
            _depth--;
    }

    /// <summary>The time for which the gate is held.</summary>
    public readonly ref struct Scope
    {
        private readonly ref Gate _gate;

        internal Scope(ref Gate gate) => _gate = ref gate;

        /// <summary>Leaves the gate.</summary>
        public void Dispose() => _gate.Exit();
    }
}
