using RealtimeKit.AspNetCore.Tests.WebSockets;

namespace RealtimeKit.AspNetCore.Tests.ServerSentEvents;

internal static class EventWires
{
    public static TheoryData<Wire> All => [Wire.Pipes, Wire.PipesTls, Wire.Http2, Wire.Http2Tls];
}
