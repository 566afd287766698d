using System.Text;
using Microsoft.AspNetCore.Http;

namespace RealtimeKit.AspNetCore;

/// <summary>How every endpoint says no.</summary>
internal static class HttpResponseExtensions
{
    /// <summary>Refuses with a status and a text.</summary>
    public static Task RefuseAsync(this HttpResponse response, int statusCode, string reason)
    {
        var body = Encoding.UTF8.GetBytes(reason);
        response.StatusCode = statusCode;
        response.ContentType = "text/plain; charset=utf-8";
        response.ContentLength = body.Length;
        return response.Body.WriteAsync(body).AsTask();
    }
}
