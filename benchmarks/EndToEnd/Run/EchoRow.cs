namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>One server's figures in one configuration: the medians of its rounds.</summary>
internal sealed record EchoRow(EchoConfiguration Configuration, string Name, LoadResult[] Rounds)
{
    public double MessagesPerSecond => Median(result => result.MessagesPerSecond);

    public double P50 => Median(result => result.P50);

    public double P99 => Median(result => result.P99);

    public double CpuMicroseconds => Median(result => result.ServerCpuMicrosecondsPerMessage);

    public double AllocatedBytes => Median(result => result.AllocatedBytesPerMessage);

    public double ServerLoad => Median(result => result.ServerCpuSeconds / result.Seconds);

    public double GeneratorLoad => Median(result => result.LoadCpuSeconds / result.Seconds);

    private double Median(Func<LoadResult, double> value)
    {
        var sorted = Rounds.Select(value).Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
