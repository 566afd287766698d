namespace RealtimeKit;

/// <summary>Why a stream has ended, as the log says it.</summary>
internal enum ServerSentEventEnd : byte
{
    /// <summary>Not yet said: the handler returned, unless the writer was closed before, which only a client's going leaves unsaid.</summary>
    None,
    HandlerReturned,
    HandlerFailed,
    ClientGone,
    MaxAge,
    WriteTimeout,
    Shutdown,
}
