using System.Net;
using System.Text;

namespace RealtimeKit.Tests;

/// <summary>A response's event stream, read as it comes, without a parser: blocks of lines as they stand on the wire.</summary>
internal sealed class EventStream : IDisposable
{
    private readonly HttpMessageInvoker _http;
    private readonly StreamReader _reader;

    private EventStream(HttpMessageInvoker http, HttpResponseMessage response, Stream body)
    {
        _http = http;
        Response = response;
        _reader = new StreamReader(body, Encoding.UTF8);
    }

    public HttpResponseMessage Response { get; }

    /// <summary>Sends a GET request and waits for the response's headers.</summary>
    public static async Task<EventStream> OpenAsync(TestServerHost server, string path = "/sse", params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, server.HttpUri(path));
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return await OpenAsync(server, request);
    }

    public static async Task<EventStream> OpenAsync(TestServerHost server, HttpRequestMessage request)
    {
        request.Version = server.Wire.IsHttp2() ? HttpVersion.Version20 : HttpVersion.Version11;
        request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
        var http = TestServerHost.NewInvoker();
        var response = await http.SendAsync(request, Until.Cancelled);
        return new EventStream(http, response, await response.Content.ReadAsStreamAsync(Until.Cancelled));
    }

    /// <summary>Opens a stream and reads past its opening.</summary>
    public static async Task<EventStream> OpenedAsync(TestServerHost server, string path = "/sse", params (string Name, string Value)[] headers)
    {
        var stream = await OpenAsync(server, path, headers);
        (await stream.ReadAsync()).Should().Be(": open");
        (await stream.ReadAsync()).Should().Be("retry: 3000");
        return stream;
    }

    /// <summary>The lines up to the next blank one, joined by LF; <see langword="null"/> at the response's end.</summary>
    public async Task<string?> ReadAsync()
    {
        var block = new StringBuilder();
        while (await _reader.ReadLineAsync(Until.Cancelled) is { } line)
        {
            if (line.Length == 0 && block.Length > 0)
                return block.ToString();
            if (line.Length == 0)
                continue;   // dispatches nothing (WHATWG HTML §9.2.6); a host may carry its headers with one
            if (block.Length > 0)
                block.Append('\n');
            block.Append(line);
        }

        block.Length.Should().Be(0, "a response ends between events");
        return null;
    }

    public async Task<List<string>> ReadToEndAsync()
    {
        var blocks = new List<string>();
        while (await ReadAsync() is { } block)
            blocks.Add(block);
        return blocks;
    }

    /// <summary>Goes away, with the connection.</summary>
    public void Dispose()
    {
        Response.Dispose();
        _http.Dispose();
    }
}
