using System.Buffers;

namespace RealtimeKit;

/// <summary>
/// What buffers are rented from: the process's shared pool. Tests that check how buffers are used set a pool of their own as
/// <c>AppContext</c> data before the first rent; the fields are constants to the compiler, so that this costs nothing otherwise.
/// </summary>
internal static class BufferPool
{
    private static readonly ArrayPool<byte> Pool = AppContext.GetData("RealtimeKit.BufferPool") as ArrayPool<byte> ?? ArrayPool<byte>.Shared;
    private static readonly Action<byte[]>? Abandoned = AppContext.GetData("RealtimeKit.BufferPool.Abandoned") as Action<byte[]>;

    public static byte[] Rent(int minimumLength) => Pool.Rent(minimumLength);

    public static void Return(byte[] array) => Pool.Return(array);

    /// <summary>Leaves an array that somebody may still be using to the garbage collector: another must not get it.</summary>
    public static void Abandon(byte[] array) => Abandoned?.Invoke(array);
}
