namespace RealtimeKit.AspNetCore.Tests.WebSockets;

/// <summary>The ways in which bytes reach an endpoint on Kestrel.</summary>
public enum Wire
{
    Pipes,
    PipesTls,
    Stream,
    StreamTls,
    Http2,
    Http2Tls,
}

internal static class WireExtensions
{
    public static bool IsTls(this Wire wire) => wire is Wire.PipesTls or Wire.StreamTls or Wire.Http2Tls;

    public static bool IsHttp2(this Wire wire) => wire is Wire.Http2 or Wire.Http2Tls;

    public static bool IsStream(this Wire wire) => wire is Wire.Stream or Wire.StreamTls;
}

internal static class Wires
{
    public static TheoryData<Wire> All => [.. Enum.GetValues<Wire>()];

    public static TheoryData<Wire> Http1 => [Wire.Pipes, Wire.PipesTls, Wire.Stream, Wire.StreamTls];
}
