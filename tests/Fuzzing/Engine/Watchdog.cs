using System.IO.MemoryMappedFiles;

namespace RealtimeKit.Fuzzing;

/// <summary>
/// Keeps the current input where it outlives the process, and ends a process whose input takes too long or too much memory: what runs in
/// circles cannot be stopped from within.
/// </summary>
internal sealed unsafe class Watchdog : IDisposable
{
    public const int TimedOut = 70;
    public const int OutOfMemory = 71;

    private const long MaxMemory = 2L << 30;
    private const int MaxInput = 1 << 20;

    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _memory;
    private readonly TimeSpan _limit;
    private readonly Action<int> _exit;
    private readonly Timer _timer;
    private long _started;
    private int _isRunning;

    /// <summary>Begins to watch.</summary>
    /// <param name="path">The file for the current input: its length in four bytes, then the input.</param>
    /// <param name="limit">How long one input may take.</param>
    /// <param name="exit">Ends the process with a code.</param>
    public Watchdog(string path, TimeSpan limit, Action<int>? exit = null)
    {
        _limit = limit;
        _exit = exit ?? Environment.Exit;
        _file = MemoryMappedFile.CreateFromFile(path, FileMode.Create, null, MaxInput + sizeof(int));
        _view = _file.CreateViewAccessor();
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _memory);
        var interval = TimeSpan.FromMilliseconds(Math.Min(500, limit.TotalMilliseconds / 4));
        _timer = new Timer(_ => Look(), null, interval, interval);
    }

    public void Begin(ReadOnlySpan<byte> input)
    {
        var length = Math.Min(input.Length, MaxInput);
        *(int*)_memory = length;
        input[..length].CopyTo(new Span<byte>(_memory + sizeof(int), length));
        Volatile.Write(ref _started, Environment.TickCount64);
        Volatile.Write(ref _isRunning, 1);
    }

    public void End()
    {
        Volatile.Write(ref _isRunning, 0);
        *(int*)_memory = -1;
    }

    /// <summary>The input that a process was at when it ended; <see langword="null"/> if it was at none.</summary>
    public static byte[]? ReadLast(string path)
    {
        if (!File.Exists(path))
            return null;
        using var file = File.OpenRead(path);
        using var reader = new BinaryReader(file);
        var length = reader.ReadInt32();
        return length < 0 || length > MaxInput ? null : reader.ReadBytes(length);
    }

    public void Dispose()
    {
        using (var stopped = new ManualResetEvent(false))
        {
            _timer.Dispose(stopped);
            stopped.WaitOne();
        }

        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }

    private void Look()
    {
        if (Volatile.Read(ref _isRunning) == 0)
            return;
        if (Environment.TickCount64 - Volatile.Read(ref _started) > _limit.TotalMilliseconds)
            _exit(TimedOut);
        else if (GC.GetTotalMemory(forceFullCollection: false) > MaxMemory)
            _exit(OutOfMemory);
    }
}
