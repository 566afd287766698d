namespace RealtimeKit.Listener.Tests.ServerSentEvents;

public class Http10Tests
{
    // It knows no chunks (RFC 9112 §7.1), and nginx speaks it to what stands behind it unless told otherwise.
    [Fact(Timeout = Until.Bound)]
    public async Task EventStream_OverHttp10_EndsWithTheConnection()
    {
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, app =>
            app.MapServerSentEvents("/sse", (events, cancel) => events.WriteAsync("first", cancellationToken: cancel).AsTask()));
        using var http = await RawHttp.ConnectAsync(server.Port);
        await http.SendAsync($"GET /sse HTTP/1.0\r\nHost: 127.0.0.1:{server.Port}\r\n\r\n");
        var response = await http.ReadToEndAsync();
        response.Should().StartWith("HTTP/1.").And.Contain(" 200 ").And.EndWith("\r\n\r\n: open\n\nretry: 3000\n\ndata: first\n\n");
        response.ToLowerInvariant().Should().NotContain("content-length").And.NotContain("chunked");
    }
}
