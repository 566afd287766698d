namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>Opening handshakes in a window, and what they cost the server; <c>handshake</c> prints it as one line of JSON.</summary>
internal sealed record HandshakeResult(long Handshakes, double Seconds, double ServerCpuSeconds, long AllocatedBytes)
{
    public double PerSecond => Handshakes / Seconds;

    public double CpuMicroseconds => ServerCpuSeconds * 1e6 / Handshakes;

    public double AllocatedPerHandshake => (double)AllocatedBytes / Handshakes;
}
