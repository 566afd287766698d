using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Benchmarks.Micro.Framing;

/// <summary>Masking against what the machine can do: a loop that XORs with its widest vector and nothing else, and a plain copy.</summary>
[GroupBenchmarksBy(BenchmarkLogicalGroupRule.ByCategory)]
[CategoriesColumn]
public class MaskBenchmarks
{
    private const uint Key = 0x3d21fa37;

    private Memory<byte> _payload;
    private Memory<byte> _copy;

    [Params(16, 125, 1024, 65_536, 1_048_576)]
    public int Length { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _payload = AlignedBuffer.Create(Length);
        _copy = AlignedBuffer.Create(Length);
        new Random(6455).NextBytes(_payload.Span);
    }

    [Benchmark(Baseline = true)]
    [BenchmarkCategory("InPlace")]
    public void VectorXor() => VectorXor(_payload.Span, _payload.Span);

    [Benchmark]
    [BenchmarkCategory("InPlace")]
    public uint Mask() => WebSocketMask.Apply(_payload.Span, Key);

    [Benchmark(Baseline = true)]
    [BenchmarkCategory("Copy")]
    public void VectorXorCopy() => VectorXor(_payload.Span, _copy.Span);

    [Benchmark]
    [BenchmarkCategory("Copy")]
    public uint MaskCopy() => WebSocketMask.Apply(_payload.Span, _copy.Span, Key);

    [Benchmark]
    [BenchmarkCategory("Copy")]
    public void MemoryCopy() => _payload.Span.CopyTo(_copy.Span);

    // The limit: whole vectors, no phase. The last bytes of an odd length are left to a loop over bytes.
    private static void VectorXor(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        ref var from = ref MemoryMarshal.GetReference(source);
        ref var to = ref MemoryMarshal.GetReference(destination);
        var length = (nuint)source.Length;
        nuint i = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            var keys = Vector512.Create(Key).AsByte();
            for (; i + 64 <= length; i += 64)
                (Vector512.LoadUnsafe(ref from, i) ^ keys).StoreUnsafe(ref to, i);
        }
        else
        {
            var keys = Vector256.Create(Key).AsByte();
            for (; i + 32 <= length; i += 32)
                (Vector256.LoadUnsafe(ref from, i) ^ keys).StoreUnsafe(ref to, i);
        }

        for (; i < length; i++)
            destination[(int)i] = (byte)(source[(int)i] ^ (Key >> (8 * (int)(i & 3))));
    }
}
