using System.Net;
using System.Net.WebSockets;
using System.Text;
using RealtimeKit.Topics;

namespace RealtimeKit.Tests;

public class EchoTopicsCases
{
    [Fact(Timeout = Until.Bound)]
    public async Task Topics_SubscribersOfBothKinds_GetWhatIsPosted()
    {
        await using var echo = await EchoProcess.StartAsync([.. TestServerHost.EchoFlags, "--max-message", "1000"]);
        using var http = new HttpClient { BaseAddress = echo.HttpUri };
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new UriBuilder(echo.HttpUri) { Scheme = "ws", Path = "/topics", Query = "?topic=a&topic=b" }.Uri, Until.Cancelled);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/topics?topic=a&topic=b") { Headers = { { "Accept", "text/event-stream" } } };
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Until.Cancelled);
        using var events = new StreamReader(await response.Content.ReadAsStreamAsync(Until.Cancelled));

        (await PostAsync("a", "hello"u8.ToArray())).Should().Be(HttpStatusCode.Accepted);
        (await socket.ReceiveTextAsync()).Should().Be("hello");
        (await PostAsync("b", [0xFF])).Should().Be(HttpStatusCode.Accepted);
        var (type, payload) = await socket.ReceiveMessageAsync();
        type.Should().Be(WebSocketMessageType.Binary);
        payload.Should().Equal(0xFF);
        (await PostAsync("a", new byte[1001])).Should().Be(HttpStatusCode.RequestEntityTooLarge);

        var lines = new List<string>();
        while (!lines.Contains("event: b") || !lines.Contains("data: hello"))   // topics have no order among each other
            lines.Add((await events.ReadLineAsync(Until.Cancelled))!);
        lines.Should().ContainInOrder("event: a", "data: hello");

        async Task<HttpStatusCode> PostAsync(string topic, byte[] body)
        {
            using var posted = await http.PostAsync($"/topics/{topic}", new ByteArrayContent(body), Until.Cancelled);
            return posted.StatusCode;
        }
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Topics_MoreThanAThousandMessages_TheLastThousandAreKept()
    {
        await using var echo = await EchoProcess.StartAsync(TestServerHost.EchoFlags);
        using var http = new HttpClient { BaseAddress = echo.HttpUri, DefaultRequestHeaders = { { "Accept", "application/json" } } };
        var answer = await http.GetStringAsync("/topics?topic=a", Until.Cancelled);
        TopicCursor.TryParse(answer.Split('"')[3], out var start).Should().BeTrue();
        for (var i = 1; i <= 1003; i++)
            (await http.PostAsync("/topics/a", new StringContent($"{i}"), Until.Cancelled)).Dispose();

        (await ReadFirstAsync(3)).Should().Be("4", "it is the first of the last thousand");
        (await ReadFirstAsync(2)).Should().BeNull("3 has gone");

        async Task<string?> ReadFirstAsync(ulong after)
        {
            using var socket = new ClientWebSocket();
            var cursor = TopicCursor.Empty.With("a", start[0].Value with { Offset = after });
            await socket.ConnectAsync(new UriBuilder(echo.HttpUri) { Scheme = "ws", Path = "/topics", Query = $"?topic=a&after={cursor}" }.Uri, Until.Cancelled);
            var (type, payload) = await socket.ReceiveMessageAsync();
            return type == WebSocketMessageType.Close ? null : Encoding.UTF8.GetString(payload);
        }
    }
}
