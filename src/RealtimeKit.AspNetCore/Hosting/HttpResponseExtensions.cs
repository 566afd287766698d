using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace RealtimeKit.AspNetCore;

/// <summary>How every endpoint says no.</summary>
internal static class HttpResponseExtensions
{
    /// <summary>Refuses with a status and a text.</summary>
    /// <remarks>
    /// Without the text for an extended CONNECT (RFC 8441), whose peer sends on: as long as a body waits for a peer that does not read, what it
    /// sends is not given back to the window of all that share its connection.
    /// </remarks>
    public static Task RefuseAsync(this HttpResponse response, int statusCode, string reason)
    {
        response.StatusCode = statusCode;
        if (response.HttpContext.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true })
            return Task.CompletedTask;
        var body = Encoding.UTF8.GetBytes(reason);
        response.ContentType = "text/plain; charset=utf-8";
        response.ContentLength = body.Length;
        return response.Body.WriteAsync(body).AsTask();
    }
}
