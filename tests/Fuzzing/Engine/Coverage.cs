using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SharpFuzz.Common;

namespace RealtimeKit.Fuzzing;

/// <summary>
/// Which branches an input took, as SharpFuzz's instrumented assemblies count them (AFL's map of edges): an input is worth keeping when it
/// takes one that none took before, or takes one in another order of magnitude of times.
/// </summary>
internal sealed unsafe class Coverage
{
    public const int Size = 65536;

    private static readonly byte[] Magnitudes = CreateMagnitudes();
    private readonly byte* _hits = (byte*)NativeMemory.AlignedAlloc(Size, 64);
    private readonly byte[] _seen = new byte[Size];

    /// <summary>Makes the instrumented assemblies count here. Before any of their code runs.</summary>
    public Coverage()
    {
        new Span<byte>(_hits, Size).Clear();
        Trace.SharedMem = _hits;
    }

    /// <summary>How many edges were taken so far.</summary>
    public int Edges { get; private set; }

    public void Begin()
    {
        new Span<byte>(_hits, Size).Clear();
        Trace.PrevLocation = 0;
    }

    /// <summary>Adds what the input took.</summary>
    /// <returns>Whether anything of it was new.</returns>
    public bool Add()
    {
        var isNew = false;
        for (var i = 0; i < Size; i += Vector<byte>.Count)
        {
            if (Unsafe.ReadUnaligned<Vector<byte>>(_hits + i) == Vector<byte>.Zero)
                continue;
            for (var j = i; j < i + Vector<byte>.Count; j++)
            {
                var magnitude = Magnitudes[_hits[j]];
                if ((magnitude & ~_seen[j]) == 0)
                    continue;
                if (_seen[j] == 0)
                    Edges++;
                _seen[j] |= magnitude;
                isNew = true;
            }
        }

        return isNew;
    }

    /// <summary>The edges that the last input took, each with its magnitude.</summary>
    public HashSet<int> Taken()
    {
        var taken = new HashSet<int>();
        for (var i = 0; i < Size; i++)
        {
            if (_hits[i] != 0)
                taken.Add(i << 8 | Magnitudes[_hits[i]]);
        }

        return taken;
    }

    // 1, 2, 3, 4–7, 8–15, 16–31, 32–127, 128 and more.
    private static byte[] CreateMagnitudes()
    {
        var magnitudes = new byte[256];
        for (var i = 1; i < 256; i++)
            magnitudes[i] = (byte)(1 << (i <= 3 ? i - 1 : i < 8 ? 3 : i < 16 ? 4 : i < 32 ? 5 : i < 128 ? 6 : 7));
        return magnitudes;
    }
}
