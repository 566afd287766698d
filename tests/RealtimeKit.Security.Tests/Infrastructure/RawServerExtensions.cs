namespace RealtimeKit.Security.Tests;

internal static class RawServerExtensions
{
    public static Uri HttpUri(this RawServer server) => new($"http://127.0.0.1:{server.Port}/");
}
