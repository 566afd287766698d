namespace RealtimeKit.WebSockets;

/// <summary>What holds a transport and can end it at once: an HTTP request. An object that exists anyway costs a connection no delegate.</summary>
internal interface IAbortable
{
    /// <summary>Ends the transport at once; does nothing once the transport serves somebody else.</summary>
    void Abort();
}
