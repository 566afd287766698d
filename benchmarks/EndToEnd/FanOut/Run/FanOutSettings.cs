namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>What <c>run-fanout</c> measures and for how long; times in seconds.</summary>
internal sealed record FanOutSettings(
    FanOutContender[] Contenders,
    int[] Subscribers,
    int[] Sizes,
    int[] Bursts,
    int Rounds,
    double Seconds,
    double Warmup,
    double FirstWarmup,
    int Idle,
    (int Server, int Load) Cores);
