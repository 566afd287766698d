using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;

namespace RealtimeKit.Tests;

/// <summary>Requests for topics at /live.</summary>
internal static class TopicRequests
{
    public static Task<HttpResponseMessage> PostAsync(this TestServerHost server, string path, string body, params (string Name, string Value)[] headers) =>
        server.SendAsync(HttpMethod.Post, path, new StringContent(body, Encoding.UTF8, "application/json"), headers);

    public static async Task<HttpResponseMessage> SendAsync(
        this TestServerHost server, HttpMethod method, string path, HttpContent? content, params (string Name, string Value)[] headers)
    {
        using var http = TestServerHost.NewInvoker();
        using var request = new HttpRequestMessage(method, server.HttpUri(path))
        {
            Content = content,
            Version = server.Wire.IsHttp2() ? HttpVersion.Version20 : HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        var response = await http.SendAsync(request, Until.Cancelled);
        await response.Content.LoadIntoBufferAsync(Until.Cancelled);
        return response;
    }

    /// <summary>Changes a stream.</summary>
    public static Task<HttpResponseMessage> ChangeAsync(
        this TestServerHost server, string stream, string[] subscribe, string[]? unsubscribe = null, string? after = null, params (string Name, string Value)[] headers) =>
        server.PostAsync("/live", JsonSerializer.Serialize(new { stream, subscribe, unsubscribe = unsubscribe ?? [], after }), headers);

    /// <summary>Asks for a cursor.</summary>
    public static async Task<string> GetCursorAsync(this TestServerHost server, string query)
    {
        using var response = await server.SendAsync(HttpMethod.Get, $"/live{query}", null, ("Accept", "application/json"));
        response.StatusCode.Should().Be(HttpStatusCode.OK);
        return JsonDocument.Parse(await response.Content.ReadAsStringAsync(Until.Cancelled)).RootElement.GetProperty("cursor").GetString()!;
    }

    public static async Task<int> ConnectStatusAsync(this TestServerHost server, string path, params (string Name, string Value)[] headers)
    {
        using var client = new ClientWebSocket();
        client.Options.CollectHttpResponseDetails = true;
        client.Options.HttpVersion = server.Wire.IsHttp2() ? HttpVersion.Version20 : HttpVersion.Version11;
        client.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        foreach (var (name, value) in headers)
            client.Options.SetRequestHeader(name, value);
        try
        {
            await client.ConnectAsync(server.Uri(path), TestServerHost.NewInvoker(), Until.Cancelled);
        }
        catch (WebSocketException)
        {
        }

        return (int)client.HttpStatusCode;
    }
}
