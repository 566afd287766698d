using System.Net.ServerSentEvents;

namespace RealtimeKit.Docs.Tests;

/// <summary>An event stream as another client reads it: <see cref="HttpClient"/> and the framework's own parser.</summary>
internal sealed class EventReader : IAsyncDisposable
{
    private readonly HttpClient _http;
    private readonly IAsyncEnumerator<SseItem<string>> _items;

    private EventReader(HttpClient http, HttpResponseMessage response, Stream body)
    {
        _http = http;
        Response = response;
        _items = SseParser.Create(body).EnumerateAsync(Until.Cancelled).GetAsyncEnumerator(Until.Cancelled);
    }

    public HttpResponseMessage Response { get; }

    public static async Task<EventReader> OpenAsync(Uri uri, string? lastEventId = null, Action<HttpRequestMessage>? configure = null)
    {
        var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, uri);
        request.Headers.Accept.ParseAdd("text/event-stream");
        if (lastEventId is not null)
            request.Headers.Add("Last-Event-ID", lastEventId);
        configure?.Invoke(request);
        var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Until.Cancelled);
        return new EventReader(http, response, await response.Content.ReadAsStreamAsync(Until.Cancelled));
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

    /// <summary>Whether the stream ends without another event.</summary>
    public async Task<bool> HasEndedAsync() => !await _items.MoveNextAsync();

    /// <summary>Goes away, with the connection.</summary>
    public async ValueTask DisposeAsync()
    {
        Response.Dispose();
        _http.Dispose();
        try
        {
            await _items.DisposeAsync();
        }
        catch (IOException)
        {
        }
    }
}
