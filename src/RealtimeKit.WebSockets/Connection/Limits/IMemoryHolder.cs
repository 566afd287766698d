namespace RealtimeKit.WebSockets;

/// <summary>What holds memory on behalf of a peer and can let it go: a connection.</summary>
internal interface IMemoryHolder
{
    /// <summary>How much it holds now, in bytes; read by any thread.</summary>
    long RetainedBytes { get; }

    /// <summary>Whether it has been told to let go, or does so by itself.</summary>
    bool IsEnding { get; }

    /// <summary>Ends it, in order where that is quick. Called once, on the thread pool; never waits and never throws.</summary>
    void Shed();
}
