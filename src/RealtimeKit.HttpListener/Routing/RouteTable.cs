using System.Net;

namespace RealtimeKit.Listener;

/// <summary>The routes by path, without regard to case. Filled before the first look-up.</summary>
internal sealed class RouteTable
{
    private const string Rest = "/*";

    private readonly Dictionary<string, Route> _exact = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, Route> _prefixes = new(StringComparer.OrdinalIgnoreCase);
    private int _longestPrefix;

    /// <summary>The route of a pattern, which is added where there is none.</summary>
    /// <exception cref="ArgumentException">The pattern is no path.</exception>
    public Route this[string pattern]
    {
        get
        {
            ArgumentNullException.ThrowIfNull(pattern);
            var isPrefix = pattern.EndsWith(Rest, StringComparison.Ordinal);
            var path = isPrefix ? pattern[..^1] : pattern;
            if (!path.StartsWith('/') || path.AsSpan().ContainsAny('*', '?', '#'))
                throw new ArgumentException($"'{pattern}' is not a path: write /name, or /name/* for all that is below.", nameof(pattern));
            var routes = isPrefix ? _prefixes : _exact;
            if (isPrefix)
                _longestPrefix = Math.Max(_longestPrefix, path.Length);
            if (!routes.TryGetValue(path, out var route))
                routes.Add(path, route = new Route());
            return route;
        }
    }

    /// <returns><see langword="null"/> where there is nothing at this path.</returns>
    public Route? Find(Uri? uri)
    {
        if (uri is null)
            return null;
        var path = uri.AbsolutePath;
        if (_exact.TryGetValue(path, out var route))
            return route;

        // The longest that fits: cut segment by segment, no more than the longest that there is, however many a path has.
        var prefixes = _prefixes.GetAlternateLookup<ReadOnlySpan<char>>();
        for (var end = Math.Min(path.Length, _longestPrefix); (end = path.AsSpan(0, end).LastIndexOf('/')) >= 0;)
            if (prefixes.TryGetValue(path.AsSpan(0, end + 1), out route))
                return route;
        return null;
    }
}
