namespace RealtimeKit.AspNetCore;

/// <summary>How the server behaves where a client does not read.</summary>
internal static class HostWrites
{
    /// <summary>Whether a write may hold its thread, instead of being pending.</summary>
    public static bool MayBlock => false;
}
