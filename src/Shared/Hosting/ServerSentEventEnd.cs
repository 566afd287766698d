namespace RealtimeKit;

/// <summary>Why a stream has ended, as the log and the metrics say it.</summary>
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
    Expired,
    Shed,
}

internal static class ServerSentEventEnds
{
    /// <summary>The value of the metrics' tag.</summary>
    public static string ToTag(this ServerSentEventEnd end) => end switch
    {
        ServerSentEventEnd.HandlerFailed => "handler_failed",
        ServerSentEventEnd.ClientGone => "client_gone",
        ServerSentEventEnd.MaxAge => "max_age",
        ServerSentEventEnd.WriteTimeout => "write_timeout",
        ServerSentEventEnd.Expired => "expired",
        ServerSentEventEnd.Shutdown => "shutdown",
        ServerSentEventEnd.Shed => "shed",
        _ => "handler_returned",
    };
}
