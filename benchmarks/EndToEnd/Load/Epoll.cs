using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>
/// Linux's epoll, level-triggered. With it one thread drives every connection with one receive and one send for each answer: through
/// SocketAsyncEventArgs each receive is tried, refused, waited for and tried again, which costs the load's core as much as the
/// server's.
/// </summary>
internal sealed partial class Epoll : IDisposable
{
    public const uint Readable = 0x001;
    public const uint Writable = 0x004;
    public const uint Failed = 0x008 | 0x010;

    private const int Add = 1;
    private const int Modify = 3;
    private const int Interrupted = 4;

    // struct epoll_event is packed on x64 alone.
    private static readonly int DataOffset = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;
    private static readonly int EventSize = DataOffset + 8;

    private readonly int _descriptor;
    private readonly byte[] _events;

    public Epoll(int maxEvents)
    {
        _descriptor = epoll_create1(0);
        if (_descriptor < 0)
            throw Failure("epoll_create1");
        _events = new byte[maxEvents * EventSize];
    }

    public void Register(nint socket, int index, uint events) => Control(Add, socket, index, events);

    public void Change(nint socket, int index, uint events) => Control(Modify, socket, index, events);

    /// <summary>Waits until a socket is ready.</summary>
    /// <returns>The number of events; 0 after the time.</returns>
    public int Wait(int milliseconds)
    {
        var count = epoll_wait(_descriptor, _events, _events.Length / EventSize, milliseconds);
        if (count < 0 && Marshal.GetLastPInvokeError() != Interrupted)
            throw Failure("epoll_wait");
        return Math.Max(count, 0);
    }

    public (int Index, uint Events) this[int i]
    {
        get
        {
            var item = _events.AsSpan(i * EventSize, EventSize);
            return (BinaryPrimitives.ReadInt32LittleEndian(item[DataOffset..]), BinaryPrimitives.ReadUInt32LittleEndian(item));
        }
    }

    public void Dispose() => _ = close(_descriptor);

    private void Control(int operation, nint socket, int index, uint events)
    {
        var item = new byte[EventSize];
        BinaryPrimitives.WriteUInt32LittleEndian(item, events);
        BinaryPrimitives.WriteInt32LittleEndian(item.AsSpan(DataOffset), index);
        if (epoll_ctl(_descriptor, operation, (int)socket, item) < 0)
            throw Failure("epoll_ctl");
    }

    private static BenchmarkException Failure(string call) => new($"{call} failed with errno {Marshal.GetLastPInvokeError()}");

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_create1(int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_ctl(int epfd, int op, int fd, [In] byte[] ev);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_wait(int epfd, [In, Out] byte[] events, int maxevents, int timeout);

    [LibraryImport("libc")]
    private static partial int close(int fd);
}
