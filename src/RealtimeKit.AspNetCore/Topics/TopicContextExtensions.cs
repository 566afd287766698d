using System.Buffers;
using System.Security.Claims;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using RealtimeKit.Topics;

namespace RealtimeKit.AspNetCore;

/// <summary>What an endpoint for topics wants of its host.</summary>
internal static class TopicContextExtensions
{
    public static string GetMethod(this HttpContext context) => HttpMethods.GetCanonicalizedValue(context.Request.Method);

    /// <summary>The values of a parameter of the query.</summary>
    public static IReadOnlyList<string?> GetQueryValues(this HttpContext context, string name) => RequestQuery.Find(context.Request, name);

    /// <summary>What stands in the path below that of the endpoint; <see langword="null"/> on the endpoint's own.</summary>
    public static string? GetPathTopic(this HttpContext context)
    {
        // Servers decode paths all but the slash; names have slashes.
        return context.Request.RouteValues.TryGetValue(TopicRequestReader.TopicParameter, out var value)
            ? (value as string ?? "").Replace("%2F", "/", StringComparison.OrdinalIgnoreCase)
            : null;
    }

    /// <summary>Who asks: what the middleware found out.</summary>
    public static ValueTask<ClaimsPrincipal> AuthenticateAsync(this HttpContext context, TopicEndpointOptions options) => new(AnonymousUser.UserOf(context));

    /// <summary>The session of the request's connection; <see langword="null"/> where nothing is counted and nobody signed in.</summary>
    public static IConnectionSession? FindSession(this HttpContext context) => context.Features.Get<RealtimeSession>();

    /// <summary>When the authentication of the request expires.</summary>
    public static DateTimeOffset? GetExpiry(this HttpContext context, ClaimsPrincipal user) => ConnectionAdmission.ExpiryOf(context, user);

    /// <summary>Keeps what the request has opened until the request ends, which disposes it.</summary>
    public static void Keep<T>(this HttpContext context, T opened)
        where T : class, IAsyncDisposable
    {
        context.Features.Set(opened);
        context.Response.RegisterForDisposeAsync(opened);
    }

    /// <summary>What the request has opened.</summary>
    public static T? Find<T>(this HttpContext context)
        where T : class => context.Features.Get<T>();

    public static bool HasJson(this HttpContext context) => context.Request.HasJsonContentType();

    public static Task SendJsonAsync<T>(this HttpContext context, int statusCode, T value, JsonTypeInfo<T> json)
    {
        context.Response.StatusCode = statusCode;
        return context.Response.WriteAsJsonAsync(value, json, cancellationToken: context.RequestAborted);
    }

    public static Task RespondAsync(this HttpContext context, int statusCode, string reason) => context.Response.RefuseAsync(statusCode, reason);

    /// <summary>Reads a body as it comes: what a client says of its length is believed only where it is too long.</summary>
    /// <exception cref="TopicRefusedException">It is too long, or broken.</exception>
    public static async ValueTask<byte[]> ReadBodyAsync(this HttpContext context, int limit)
    {
        var tooLong = new TopicRefusedException(StatusCodes.Status413PayloadTooLarge, $"At most {limit} bytes.");
        if (context.Request.ContentLength > limit)
            throw tooLong;
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = (6L * limit) + 65_536;   // counts chunks' frames too: six bytes for one, at worst
        var reader = context.Request.BodyReader;
        var body = new ArrayBufferWriter<byte>();
        try
        {
            while (true)
            {
                var result = await reader.ReadAsync(context.RequestAborted).ConfigureAwait(false);
                var isLong = body.WrittenCount + result.Buffer.Length > limit;
                if (!isLong && result.IsCompleted && body.WrittenCount == 0)
                {
                    var whole = result.Buffer.ToArray();
                    reader.AdvanceTo(result.Buffer.End);
                    return whole;
                }

                foreach (var part in result.Buffer)
                {
                    if (!isLong)
                        body.Write(part.Span);
                }

                reader.AdvanceTo(result.Buffer.End);
                if (isLong)
                    throw tooLong;
                if (result.IsCompleted)
                    return body.WrittenSpan.ToArray();
            }
        }
        catch (BadHttpRequestException error)
        {
            throw error.StatusCode == StatusCodes.Status413PayloadTooLarge ? tooLong : new TopicRefusedException(error.StatusCode, "The body is broken.");
        }
        catch (IOException)
        {
            // Kestrel throws no other for a chunk's size that overflows (RFC 9112 §7.1); or the client has gone.
            throw new TopicRefusedException(StatusCodes.Status400BadRequest, "The body is broken.");
        }
    }
}
