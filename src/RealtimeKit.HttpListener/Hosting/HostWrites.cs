namespace RealtimeKit.Listener;

/// <summary>How the server behaves where a client does not read.</summary>
internal static class HostWrites
{
    /// <summary>
    /// Whether a write may hold its thread, instead of being pending: the framework writes a chunk's size and its end synchronously.
    /// </summary>
    public static bool MayBlock => true;
}
