using System.Numerics;

namespace RealtimeKit.Fuzzing;

/// <summary>Makes a find as short and as plain as it stays the same find.</summary>
internal static class Minimizer
{
    private static readonly TimeSpan MaxTime = TimeSpan.FromSeconds(5);

    public static Find Minimize(Executor executor, Find find, int maxExecutions = 20_000)
    {
        var cause = find.Cause;
        var left = maxExecutions;
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var best = find;
        bool Try(byte[] input)
        {
            if (left-- <= 0 || clock.Elapsed > MaxTime || executor.Run(input) is not { } found || found.Cause != cause)
                return false;
            best = found;
            return true;
        }

        // Powers of two: what code for vectors gets wrong, it often gets wrong at some lengths modulo one.
        for (var block = 1 << BitOperations.Log2((uint)Math.Max(best.Input.Length / 2, 1)); left > 0; block /= 2)
        {
            for (var at = 0; at < best.Input.Length && left > 0;)
            {
                var end = Math.Min(at + block, best.Input.Length);
                if (!Try([.. best.Input[..at], .. best.Input[end..]]))
                    at += block;
            }

            if (block == 1)
                break;
        }

        for (var at = 0; at < best.Input.Length && left > 0; at++)
        {
            foreach (var plain in (byte[])[0, (byte)'a'])
            {
                if (best.Input[at] is 0 or (byte)'a')
                    break;
                byte[] changed = [.. best.Input];
                changed[at] = plain;
                if (Try(changed))
                    break;
            }
        }

        return best;
    }
}
