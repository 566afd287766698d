namespace RealtimeKit.Listener.Tests;

/// <summary>The one way in which bytes reach an endpoint on HttpListener, under the name that the shared cases know.</summary>
public enum Wire
{
    Pipes,
}

internal static class WireExtensions
{
    public static bool IsTls(this Wire wire) => wire != Wire.Pipes;

    public static bool IsHttp2(this Wire wire) => wire != Wire.Pipes;
}

internal static class Wires
{
    public static TheoryData<Wire> All => [Wire.Pipes];

    public static TheoryData<Wire> Http1 => All;
}

internal static class EventWires
{
    public static TheoryData<Wire> All => Wires.All;
}
