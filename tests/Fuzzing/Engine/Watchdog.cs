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
    private readonly int _maxLooks;
    private readonly Action<int> _exit;
    private readonly Thread _thread;
    private readonly ManualResetEventSlim _stopped = new();
    private long _inputs;
    private int _isRunning;
    private long _seen;
    private int _looks;

    /// <summary>Begins to watch.</summary>
    /// <param name="path">The file for the current input: its length in four bytes, then the input.</param>
    /// <param name="limit">How long one input may take.</param>
    /// <param name="exit">Ends the process with a code.</param>
    public Watchdog(string path, TimeSpan limit, Action<int>? exit = null)
    {
        _exit = exit ?? Environment.Exit;
        _file = MemoryMappedFile.CreateFromFile(path, FileMode.Create, null, MaxInput + sizeof(int));
        _view = _file.CreateViewAccessor();
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _memory);
        var interval = TimeSpan.FromMilliseconds(Math.Min(500, limit.TotalMilliseconds / 4));
        _maxLooks = (int)(limit / interval);

        // Its own: the pool's only thread (Fuzzing.csproj) may be what runs in circles.
        _thread = new Thread(() =>
        {
            while (!_stopped.Wait(interval))
                Look();
        })
        { IsBackground = true, Name = nameof(Watchdog) };
        _thread.Start();
    }

    public void Begin(ReadOnlySpan<byte> input)
    {
        var length = Math.Min(input.Length, MaxInput);
        *(int*)_memory = length;
        input[..length].CopyTo(new Span<byte>(_memory + sizeof(int), length));
        Volatile.Write(ref _inputs, _inputs + 1);
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
        _stopped.Set();
        _thread.Join();
        _stopped.Dispose();
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }

    private void Look()
    {
        if (Volatile.Read(ref _isRunning) == 0)
            return;

        // Looks at the same input, not a clock: a process that was stopped for a while has not taken long.
        var input = Volatile.Read(ref _inputs);
        _looks = input == _seen ? _looks + 1 : 0;
        _seen = input;
        if (_looks > _maxLooks)
            _exit(TimedOut);
        else if (GC.GetTotalMemory(forceFullCollection: false) > MaxMemory)
            _exit(OutOfMemory);
    }
}
