namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>What one measurement found; <c>load</c> prints it as one line of JSON.</summary>
/// <param name="Messages">Messages echoed within the window.</param>
/// <param name="Seconds">The window.</param>
/// <param name="P50">Median time from sending to the last byte of the echo, in microseconds.</param>
/// <param name="P99">The same for the slowest of a hundred.</param>
/// <param name="ServerCpuSeconds">The server's CPU time within the window.</param>
/// <param name="LoadCpuSeconds">The load generator's own.</param>
/// <param name="AllocatedBytes">What the server allocated within the window.</param>
internal sealed record LoadResult(
    long Messages, double Seconds, double P50, double P99, double ServerCpuSeconds, double LoadCpuSeconds, long AllocatedBytes)
{
    public double MessagesPerSecond => Messages / Seconds;

    public double ServerCpuMicrosecondsPerMessage => ServerCpuSeconds * 1e6 / Messages;

    public double AllocatedBytesPerMessage => (double)AllocatedBytes / Messages;
}
