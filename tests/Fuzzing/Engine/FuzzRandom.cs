using System.Numerics;

namespace RealtimeKit.Fuzzing;

/// <summary>Numbers that repeat with their seed, on every machine and runtime: SplitMix64.</summary>
internal sealed class FuzzRandom(ulong seed)
{
    private ulong _state = seed;

    public ulong NextUInt64()
    {
        var z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>From 0 up to and without <paramref name="limit"/>, which is at least 1.</summary>
    public int Next(int limit) => (int)Math.BigMul(NextUInt64(), (ulong)limit, out _);

    /// <summary>From one number up to and with another.</summary>
    public int Between(int lowest, int highest) => lowest + Next(highest - lowest + 1);

    public byte NextByte() => (byte)NextUInt64();

    /// <summary>True once in so many times.</summary>
    public bool Once(int of) => Next(of) == 0;

    /// <summary>Small numbers most of the time, and every size now and then.</summary>
    public int Skewed(int limit) => Next(1 + Next(1 + Next(Math.Max(limit, 1))));

    public T Pick<T>(IReadOnlyList<T> items) => items[Next(items.Count)];

    public byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        for (var i = 0; i < length; i++)
            bytes[i] = NextByte();
        return bytes;
    }

    /// <summary>A seed for something that this seed and a name decide.</summary>
    public static ulong Mix(ulong seed, ReadOnlySpan<byte> data)
    {
        var hash = seed ^ 0xCBF29CE484222325;
        foreach (var value in data)
            hash = BitOperations.RotateLeft((hash ^ value) * 0x100000001B3, 5);
        return hash;
    }
}
