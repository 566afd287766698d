using System.Net.ServerSentEvents;

namespace RealtimeKit.Docs.Tests;

/// <summary>An event stream as another client reads it: <see cref="HttpClient"/> and the framework's own parser.</summary>
internal sealed class EventReader : IAsyncDisposable
{
    private readonly HttpClient? _http;
    private readonly IAsyncEnumerator<SseItem<string>> _items;

    private EventReader(HttpClient? http, HttpResponseMessage response, Stream body)
    {
        _http = http;
        Response = response;
        _items = SseParser.Create(body).EnumerateAsync(Until.Cancelled).GetAsyncEnumerator(Until.Cancelled);
    }

    public HttpResponseMessage Response { get; }

    public static Task<EventReader> OpenAsync(Uri uri, string? lastEventId = null, Action<HttpRequestMessage>? configure = null) =>
        OpenAsync(new HttpClient(), uri, lastEventId, configure, ownsClient: true);

    public static async Task<EventReader> OpenAsync(
        HttpClient http, Uri uri, string? lastEventId = null, Action<HttpRequestMessage>? configure = null, bool ownsClient = false)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, uri) { Version = http.DefaultRequestVersion, VersionPolicy = http.DefaultVersionPolicy };
        request.Headers.Accept.ParseAdd("text/event-stream");
        if (lastEventId is not null)
            request.Headers.Add("Last-Event-ID", lastEventId);
        configure?.Invoke(request);
        var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Until.Cancelled);
        return new EventReader(ownsClient ? http : null, response, await response.Content.ReadAsStreamAsync(Until.Cancelled));
    }

    /// <summary>The next event.</summary>
    public async Task<SseItem<string>> ReadAsync()
    {
        (await _items.MoveNextAsync()).Should().BeTrue("the stream goes on");
        return _items.Current;
    }

    /// <summary>The next event of a type.</summary>
    public async Task<SseItem<string>> ReadAsync(string eventType)
    {
        while (true)
            if (await ReadAsync() is var item && item.EventType == eventType)
                return item;
    }

    /// <summary>Whether the stream ends, in order or not, without another event.</summary>
    public async Task<bool> HasEndedAsync()
    {
        try
        {
            return !await _items.MoveNextAsync();
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException)
        {
            return true;
        }
    }

    /// <summary>Goes away, with the connection.</summary>
    public async ValueTask DisposeAsync()
    {
        Response.Dispose();
        _http?.Dispose();
        try
        {
            await _items.DisposeAsync();
        }
        catch (IOException)
        {
        }
    }
}
