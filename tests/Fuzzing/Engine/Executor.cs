using System.Diagnostics;

namespace RealtimeKit.Fuzzing;

/// <summary>Runs a target on one input, with a limit on what it allocates. A watchdog sees that it ends.</summary>
internal sealed class Executor(FuzzTarget target, Watchdog? watchdog = null)
{
    /// <summary>No input of a few kilobytes needs this much; a bomb or a declared length does.</summary>
    public const long MaxAllocated = 256 * 1024 * 1024;

    public long Executions { get; private set; }

    /// <summary>Runs the target.</summary>
    /// <returns>What it found; <see langword="null"/> for nothing.</returns>
    public Find? Run(byte[] input)
    {
        Executions++;
        var before = GC.GetAllocatedBytesForCurrentThread();
        watchdog?.Begin(input);
        try
        {
            target.Run(input);
            CheckAllocated(GC.GetAllocatedBytesForCurrentThread() - before);
            return null;
        }
        catch (Exception error)
        {
            return new Find(input, error);
        }
        finally
        {
            watchdog?.End();
        }
    }

    public static void CheckAllocated(long allocated) => Oracle.That(allocated <= MaxAllocated, "allocates more than the limit of an input");
}
