using System.Net;
using System.Text;

namespace RealtimeKit.Listener;

/// <summary>How responses end. None of this throws: whatever goes wrong, the client is gone or its connection is ended.</summary>
internal static class HttpListenerContextExtensions
{
    // How long the last bytes of a response may wait for a client that does not read, or its request's body for one that does not send.
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Ends the connection of a response that has not ended. The framework's own socket, aborted, leaves it open
    /// (dotnet/runtime#58614, #101022).
    /// </summary>
    public static void Abort(this HttpListenerContext context)
    {
        var response = context.Response;

        // Even an abort first writes the end of a chunked body, synchronously, and so waits for ever for a client that does not read.
        // A second one passes it, because the stream has been closed once, and closes the socket under it; whichever comes first.
        if (response.SendChunked)
            new Thread(Dispose) { IsBackground = true, Name = "HttpListener abort" }.UnsafeStart(response);
        Dispose(response);
    }

    /// <summary>
    /// To be called before an answer begins to a request whose body nobody reads: the connection ends with it (RFC 9112 §9.3). The framework
    /// would read a body of a known length to its end first, on the caller's thread, and take a chunked one for the next request.
    /// </summary>
    public static void LeaveBody(this HttpListenerContext context) => context.Response.KeepAlive &= !context.Request.HasEntityBody;

    /// <summary>To be called before the handler of a request that may read its body, or may not.</summary>
    public static void OfferBody(this HttpListenerContext context)
    {
        // Of a chunked body whose stream nobody has asked for before the response ends, the framework reads nothing, and serves what comes
        // of it as the next request.
        _ = context.Request.InputStream;
    }

    /// <summary>Ends a response in order; at a deadline, the connection.</summary>
    public static async ValueTask CloseAsync(this HttpListenerContext context)
    {
        // The end of a chunked body is written synchronously, and what is left of a request's body is read synchronously.
        if (context is { Response.SendChunked: false, Request.HasEntityBody: false })
        {
            Close(context.Response);
            return;
        }

        try
        {
            await Task.Run(() => Close(context.Response)).WaitAsync(CloseTimeout).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            context.Abort();
        }
    }

    /// <summary>Answers a request with a status and a sentence; where a response has begun, cuts it off.</summary>
    public static Task RespondAsync(this HttpListenerContext context, int statusCode, string reason) =>
        context.RespondAsync(statusCode, "text/plain; charset=utf-8", Encoding.UTF8.GetBytes(reason), isRequestRead: false);

    /// <summary>Answers a request; where a response has begun, cuts it off.</summary>
    public static async Task RespondAsync(this HttpListenerContext context, int statusCode, string contentType, byte[] body, bool isRequestRead)
    {
        try
        {
            var response = context.Response;
            response.ContentLength64 = body.Length;   // throws where the headers have left
            response.StatusCode = statusCode;
            response.ContentType = contentType;
            if (!isRequestRead)
                context.LeaveBody();
            if (context.Request.HttpMethod != "HEAD")
                await response.OutputStream.WriteAsync(body).AsTask().WaitAsync(CloseTimeout).ConfigureAwait(false);
            Close(response);
        }
        catch (ObjectDisposedException)
        {
            // It has ended, and its connection may serve another request by now.
        }
#pragma warning disable CA1031 // The response has begun, or the client is gone or does not read.
        catch (Exception)
#pragma warning restore CA1031
        {
            context.Abort();
        }
    }

    private static void Close(HttpListenerResponse response)
    {
        try
        {
            response.Close();
        }
#pragma warning disable CA1031 // The client is gone.
        catch (Exception)
#pragma warning restore CA1031
        {
            Dispose(response);
        }
    }

    private static void Dispose(object? response)
    {
        try
        {
            // As Abort, but never without effect: Abort does nothing once another has begun.
            ((IDisposable)response!).Dispose();
        }
#pragma warning disable CA1031 // It has ended.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
    }
}
