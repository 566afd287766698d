using System.Text;
using Microsoft.Extensions.FileProviders;

namespace RealtimeKit.Samples.Showcase;

internal static class HttpExtensions
{
    // Nothing from anywhere else, nothing inline, nobody else's frame.
    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

    public static void UseSecurityHeaders(this WebApplication app) => app.Use(static (http, next) =>
    {
        var headers = http.Response.Headers;
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        if (http.Request.Path != "/" && Path.HasExtension(http.Request.Path))
            headers.CacheControl = "no-cache";   // asked for again each time, answered with 304
        return next(http);
    });

    /// <summary>The body as text on one line; null where it is longer than allowed.</summary>
    public static async Task<string?> ReadTextAsync(this HttpRequest request, int maxLength)
    {
        var body = new byte[maxLength * 4 + 1];
        var length = await request.Body.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, request.HttpContext.RequestAborted);
        var text = Encoding.UTF8.GetString(body, 0, length).ReplaceLineEndings(" ").Trim();
        return length < body.Length && text.Length <= maxLength ? text : null;
    }

    /// <summary>Pages that test the site from within, in a browser that nothing drives: what they post is printed, one line each.</summary>
    public static void MapSelfTest(this WebApplication app, string folder)
    {
        app.UseStaticFiles(new StaticFileOptions { FileProvider = new PhysicalFileProvider(folder), RequestPath = "/self-test" });
        app.MapPost("/self-test/results", async (HttpRequest request) =>
        {
            if (await request.ReadTextAsync(maxLength: 16 * 1024) is { } line)
                Console.WriteLine(line);
        });
    }
}
