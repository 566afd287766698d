using System.Runtime.InteropServices;

namespace RealtimeKit.Fuzzing;

/// <summary>
/// Memory between two pages that nobody may touch: one byte read or written beyond either end ends the process, which its parent
/// reports together with the input. Where the system has no such pages it is plain memory between canaries.
/// </summary>
internal sealed unsafe partial class GuardedBuffer
{
    private const int PageSize = 65536;   // a multiple of every page size there is
    private const int ProtectNone = 0;
    private const int ProtectReadWrite = 3;
    private const int MapPrivateAnonymous = 0x22;

    private readonly byte* _start;
    private readonly int _capacity;

    public GuardedBuffer(int capacity)
    {
        _capacity = (capacity + PageSize - 1) / PageSize * PageSize;
        if (!OperatingSystem.IsLinux())
            throw new PlatformNotSupportedException("The fuzzer's guard pages need Linux.");
        var length = (nuint)(_capacity + 2 * PageSize);
        var whole = (byte*)Map(null, length, ProtectNone, MapPrivateAnonymous, -1, 0);
        if (whole == (byte*)-1 || Protect(whole + PageSize, (nuint)_capacity, ProtectReadWrite) != 0)
            throw new InvalidOperationException("No memory for guard pages.");
        _start = whole + PageSize;
    }

    /// <summary>Bytes that end where the page behind them begins.</summary>
    public Span<byte> AtEnd(int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, _capacity);
        return new Span<byte>(_start + _capacity - length, length);
    }

    /// <summary>Bytes that begin where the page in front of them ends.</summary>
    public Span<byte> AtStart(int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, _capacity);
        return new Span<byte>(_start, length);
    }

    /// <summary>A copy that touches the page behind it, or the one in front of it.</summary>
    public ReadOnlySpan<byte> Copy(ReadOnlySpan<byte> data, bool atEnd = true)
    {
        var copy = atEnd ? AtEnd(data.Length) : AtStart(data.Length);
        data.CopyTo(copy);
        return copy;
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial void* Map(void* address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Protect(void* address, nuint length, int protection);
}
