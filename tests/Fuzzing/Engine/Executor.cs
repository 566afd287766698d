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
        }
        catch (Exception error)
        {
            return new Find(input, error);
        }
        finally
        {
            watchdog?.End();
        }

        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        return allocated > MaxAllocated ? new Find(input, new OracleException("allocates more than the limit of an input")) : null;
    }
}
