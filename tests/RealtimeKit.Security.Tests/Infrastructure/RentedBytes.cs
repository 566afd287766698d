using System.Buffers;
using System.Runtime.CompilerServices;

namespace RealtimeKit.Security.Tests;

/// <summary>
/// How much the packages rent from the process's pool. What a test allocates says nothing of that: a pool that an earlier test has filled
/// serves the next for nothing.
/// </summary>
internal sealed class RentedBytes : ArrayPool<byte>
{
    private static long _total;

    /// <summary>The lengths of all arrays that were rented so far, in bytes.</summary>
    public static long Total => Volatile.Read(ref _total);

    // Before the packages rent for the first time: they read once which pool it is.
#pragma warning disable CA2255 // A test assembly is an application.
    [ModuleInitializer]
    internal static void Install() => AppContext.SetData("RealtimeKit.BufferPool", new RentedBytes());
#pragma warning restore CA2255

    public override byte[] Rent(int minimumLength)
    {
        var array = Shared.Rent(minimumLength);
        Interlocked.Add(ref _total, array.Length);
        return array;
    }

    public override void Return(byte[] array, bool clearArray = false) => Shared.Return(array, clearArray);
}
