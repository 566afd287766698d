namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>One contender's figures in one configuration: the medians of its rounds.</summary>
internal sealed record FanOutRow(FanOutContender Contender, int Subscribers, int Size, int Burst, bool WithStalled, FanOutResult[] Rounds)
{
    public bool IsStalled => Rounds.Any(round => round.IsStalled);

    public double DeliveriesPerSecond => Median(result => result.DeliveriesPerSecond);

    public double P50 => Median(result => result.P50);

    public double P99 => Median(result => result.P99);

    public double Cpu => Median(result => result.ServerCpuSecondsPerMillion);

    public double OtherCpu => Median(result => result.OtherCpuSecondsPerMillion);

    public double AllocatedBytes => Median(result => result.AllocatedBytesPerDelivery);

    public double ServerLoad => Median(result => result.ServerCpuSeconds / result.Seconds);

    public double GeneratorLoad => Median(result => result.LoadCpuSeconds / result.Seconds);

    private double Median(Func<FanOutResult, double> value)
    {
        var sorted = Rounds.Select(value).Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
