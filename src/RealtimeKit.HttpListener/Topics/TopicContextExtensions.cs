using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Security.Claims;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Web;
using RealtimeKit.Topics;

namespace RealtimeKit.Listener;

/// <summary>What an endpoint for topics wants of its host.</summary>
internal static class TopicContextExtensions
{
    private static readonly ConditionalWeakTable<HttpListenerContext, IAsyncDisposable> Opened = [];

    public static string GetMethod(this HttpListenerContext context) => context.Request.HttpMethod;

    /// <summary>The values of a parameter of the query.</summary>
    /// <remarks>The framework's own reading takes the charset of the body for that of the query, which is UTF-8 always.</remarks>
    public static IReadOnlyList<string?> GetQueryValues(this HttpListenerContext context, string name) =>
        HttpUtility.ParseQueryString(context.Request.Url?.Query ?? "", Encoding.UTF8).GetValues(name) ?? [];

    /// <summary>What stands in the path below another.</summary>
    public static string GetPathTopic(this HttpListenerContext context, string path)
    {
        // What is escaped twice means the same on every host.
        return Uri.UnescapeDataString(context.Request.Url!.AbsolutePath[(path.Length + 1)..]).Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Who asks.</summary>
    /// <exception cref="TopicRefusedException">The application wants none who did not sign in.</exception>
    public static async ValueTask<ClaimsPrincipal> AuthenticateAsync(this HttpListenerContext context, HttpListenerTopicOptions options) =>
        await options.Authenticate(context).ConfigureAwait(false) ?? throw new TopicRefusedException(401, "Sign in first.");

    /// <summary>The session of the request's connection: here there is none.</summary>
    public static IConnectionSession? FindSession(this HttpListenerContext context) => null;

    /// <summary>When the authentication of the request expires: here nobody knows.</summary>
    public static DateTimeOffset? GetExpiry(this HttpListenerContext context, ClaimsPrincipal user) => null;

    /// <summary>Keeps what the request has opened, until <see cref="ReleaseAsync"/>.</summary>
    public static void Keep(this HttpListenerContext context, IAsyncDisposable opened) => Opened.Add(context, opened);

    /// <summary>What the request has opened.</summary>
    public static T? Find<T>(this HttpListenerContext context)
        where T : class => Opened.TryGetValue(context, out var opened) ? opened as T : null;

    /// <summary>Disposes what the request has opened, if anything.</summary>
    public static ValueTask ReleaseAsync(this HttpListenerContext context) => Opened.Remove(context, out var opened) ? opened.DisposeAsync() : default;

    public static bool HasJson(this HttpListenerContext context) =>
        MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type) && type.MediaType is { } media
        && (media.Equals("application/json", StringComparison.OrdinalIgnoreCase) || media.EndsWith("+json", StringComparison.OrdinalIgnoreCase));

    public static ValueTask<byte[]> ReadBodyAsync(this HttpListenerContext context, int limit) => RequestBody.ReadAsync(context.Request, limit);

    public static Task SendJsonAsync<T>(this HttpListenerContext context, int statusCode, T value, JsonTypeInfo<T> json) =>
        context.RespondAsync(statusCode, "application/json; charset=utf-8", JsonSerializer.SerializeToUtf8Bytes(value, json), isRequestRead: context.Request.HttpMethod == "POST");
}
