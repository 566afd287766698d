using System.Net;
using System.Text.Json;
using RealtimeKit.AspNetCore.Tests.WebSockets;
using RealtimeKit.Redis.Tests;

namespace RealtimeKit.AspNetCore.Tests.Samples;

public class EchoSseTests
{
    private const string Opening = ": open\n\nretry: 3000\n\n";

    [Theory(Timeout = Until.Bound)]
    [InlineData("1.1")]
    [InlineData("2.0", "--http2")]
    [InlineData("1.1", "--https")]
    [InlineData("2.0", "--https")]
    public async Task Sse_CountAndSize_SendsThoseEventsAndEnds(string version, params string[] flags)
    {
        await using var echo = await EchoProcess.StartAsync(flags);
        using var http = Client(echo, version);
        (await http.GetStringAsync("/sse?count=3&size=5&interval=1", Until.Cancelled)).Should().Be(
            Opening + "id: 1\ndata: xxxxx\n\nid: 2\ndata: xxxxx\n\nid: 3\ndata: xxxxx\n\n");
        (await http.GetStringAsync("/sse?count=1&size=0", Until.Cancelled)).Should().Be(Opening + "id: 1\ndata: \n\n");
        (await http.GetStringAsync("/sse?count=1&size=200000", Until.Cancelled)).Should().Be(Opening + $"id: 1\ndata: {new string('x', 200_000)}\n\n");
    }

    [Theory(Timeout = Until.Bound)]
    [InlineData("1", "id: 2\ndata: x\n\nid: 3\ndata: x\n\n")]
    [InlineData("2", "id: 3\ndata: x\n\n")]
    [InlineData("3", null)]
    [InlineData("4", null)]
    [InlineData("no id of ours", "id: 1\ndata: x\n\nid: 2\ndata: x\n\nid: 3\ndata: x\n\n")]
    public async Task Sse_LastEventId_ResumesAfterItOrIs204(string lastEventId, string? events)
    {
        await using var echo = await EchoProcess.StartAsync();
        using var http = Client(echo);
        http.DefaultRequestHeaders.Add("Last-Event-ID", lastEventId);
        using var response = await http.GetAsync("/sse?count=3&size=1", Until.Cancelled);
        response.StatusCode.Should().Be(events is null ? HttpStatusCode.NoContent : HttpStatusCode.OK);
        (await response.Content.ReadAsStringAsync(Until.Cancelled)).Should().Be(events is null ? "" : Opening + events);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Sse_CountIs0_StaysOpenUntilSigtermAndIsCounted()
    {
        await using var echo = await EchoProcess.StartAsync("--stats");
        using var http = Client(echo);
        using var response = await http.GetAsync("/sse?count=0", HttpCompletionOption.ResponseHeadersRead, Until.Cancelled);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Until.Cancelled));
        (await reader.ReadLineAsync(Until.Cancelled)).Should().Be(": open");
        // The opening is sent before the handler runs, which counts.
        await Eventually.TrueAsync(async () =>
            JsonDocument.Parse(await http.GetStringAsync("/stats", Until.Cancelled)).RootElement.GetProperty("connections").GetInt32() == 1);
        echo.Terminate();
        (await reader.ReadToEndAsync(Until.Cancelled)).Should().MatchRegex("^\nretry: 3000\n\nretry: [0-9]+\n\n$");
        (await echo.ExitCodeAsync()).Should().Be(0);
    }

    [Theory(Timeout = Until.Bound)]
    [InlineData("count=-1")]
    [InlineData("count=x")]
    [InlineData("count=1&count=2")]
    [InlineData("size=67108865")]
    [InlineData("interval=1.5")]
    public async Task Sse_ParameterIsNoNumber_Is400(string query)
    {
        await using var echo = await EchoProcess.StartAsync();
        using var http = Client(echo);
        using var response = await http.GetAsync($"/sse?{query}", Until.Cancelled);
        response.StatusCode.Should().Be(HttpStatusCode.BadRequest);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Sse_AnyOrigin_MayRead()
    {
        await using var echo = await EchoProcess.StartAsync();
        using var http = Client(echo);
        http.DefaultRequestHeaders.Add("Origin", "https://anywhere.example");
        using var response = await http.GetAsync("/sse?count=1", Until.Cancelled);
        response.Headers.GetValues("Access-Control-Allow-Origin").Should().Equal("*");
    }

    private static HttpClient Client(EchoProcess echo, string version = "1.1") => new(new SocketsHttpHandler
    {
        SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate?.Subject == "CN=localhost" },   // made for this run
    })
    {
        BaseAddress = echo.HttpUri,
        DefaultRequestVersion = Version.Parse(version),
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
    };
}
