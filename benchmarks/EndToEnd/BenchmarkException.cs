namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>A failure that ends the process with one line on standard error: a wrong echo, a stall, a child that died.</summary>
internal sealed class BenchmarkException(string message, Exception? inner = null) : Exception(message, inner);
