using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace RealtimeKit.AspNetCore;

/// <summary>Reads single parameters of a query without the parsed collection, which would live as long as a connection does.</summary>
internal static class RequestQuery
{
    /// <summary>The values of a parameter, in their order.</summary>
    /// <param name="request">The request.</param>
    /// <param name="name">The parameter, without regard to case.</param>
    public static List<string> Find(HttpRequest request, string name)
    {
        var values = new List<string>();
        if (!request.QueryString.HasValue)
            return values;
        foreach (var pair in new QueryStringEnumerable(request.QueryString.Value))
        {
            if (pair.DecodeName().Span.Equals(name, StringComparison.OrdinalIgnoreCase))
                values.Add(pair.DecodeValue().ToString());
        }

        return values;
    }

    /// <summary>The value of a parameter; <see langword="null"/> where it is not there or there several times.</summary>
    public static string? FindOne(HttpRequest request, string name) => Find(request, name) is [var value] ? value : null;
}
