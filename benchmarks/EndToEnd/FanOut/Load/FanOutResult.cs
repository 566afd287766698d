using System.Text.Json.Serialization;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>What one measurement found; <c>fan-load</c> prints a list of them as one line of JSON.</summary>
/// <param name="Burst">Messages published one behind the other; 1 for the next only when everybody has the last.</param>
/// <param name="Messages">Messages published within the window.</param>
/// <param name="Deliveries">Messages received by all subscribers together.</param>
/// <param name="Seconds">The window.</param>
/// <param name="P50">Median time from publishing to receiving, in microseconds.</param>
/// <param name="P99">The same for the slowest of a hundred.</param>
/// <param name="ServerCpuSeconds">The server's CPU time within the window.</param>
/// <param name="LoadCpuSeconds">The load generator's own.</param>
/// <param name="AllocatedBytes">What the server allocated within the window.</param>
/// <param name="IsStalled">The server stood still because one subscriber does not read; there are no other figures.</param>
/// <param name="OtherCpuSeconds">The CPU time of the process that <c>--other-process</c> names, within the window.</param>
internal sealed record FanOutResult(
    int Burst,
    long Messages,
    long Deliveries,
    double Seconds,
    double P50,
    double P99,
    double ServerCpuSeconds,
    double LoadCpuSeconds,
    long AllocatedBytes,
    bool IsStalled,
    double OtherCpuSeconds = 0)
{
    public static FanOutResult Stalled(int burst) => new(burst, 0, 0, 1, 0, 0, 0, 0, 0, IsStalled: true);

    [JsonIgnore]
    public double DeliveriesPerSecond => Deliveries / Seconds;

    /// <summary>The same number in microseconds for each.</summary>
    [JsonIgnore]
    public double ServerCpuSecondsPerMillion => ServerCpuSeconds * 1e6 / Deliveries;

    [JsonIgnore]
    public double OtherCpuSecondsPerMillion => OtherCpuSeconds * 1e6 / Deliveries;

    [JsonIgnore]
    public double AllocatedBytesPerDelivery => (double)AllocatedBytes / Deliveries;
}
