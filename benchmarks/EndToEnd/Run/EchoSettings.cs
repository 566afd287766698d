namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>What to measure and for how long; times in seconds.</summary>
internal sealed record EchoSettings(EchoConfiguration[] Configurations, int Rounds, double Seconds, double Warmup, double FirstWarmup);
