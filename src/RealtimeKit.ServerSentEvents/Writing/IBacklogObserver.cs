namespace RealtimeKit.ServerSentEvents;

/// <summary>Told by a writer how much its client has not taken: a host that counts memory.</summary>
internal interface IBacklogObserver
{
    /// <summary>So many bytes have come to wait, or wait no more. Called by whoever writes; must neither block nor fail.</summary>
    void OnBacklogChanged(long change);
}
