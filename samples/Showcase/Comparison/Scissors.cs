using System.Collections.Concurrent;

namespace RealtimeKit.Samples.Showcase;

/// <summary>Connections that a page may have cut off, by a key that only it knows.</summary>
internal sealed class Scissors(int limit)
{
    private readonly ConcurrentDictionary<HttpContext, string> _held = new();

    /// <summary>Takes a connection, until it is disposed; with more than the limit it cannot be cut.</summary>
    public IDisposable Hold(HttpContext http)
    {
        if (_held.Count < limit && (string?)http.Request.Query["key"] is { Length: > 15 and < 65 } key)
            _held[http] = key;
        return new Thread(this, http);
    }

    /// <summary>Cuts connections: no last words, as when a cable is pulled.</summary>
    public int Cut(string? key)
    {
        var cut = 0;
        foreach (var (http, held) in _held)
        {
            if (held != key)
                continue;
            http.Abort();
            cut++;
        }

        return cut;
    }

    private sealed class Thread(Scissors scissors, HttpContext http) : IDisposable
    {
        public void Dispose() => scissors._held.TryRemove(http, out _);
    }
}
