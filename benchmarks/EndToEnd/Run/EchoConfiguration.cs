namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>One cell of the comparison: payload bytes, connections, and messages under way on each.</summary>
internal readonly record struct EchoConfiguration(int Size, int Connections, int Depth)
{
    public override string ToString() => $"{Size} B, {Connections} connections, depth {Depth}";
}
