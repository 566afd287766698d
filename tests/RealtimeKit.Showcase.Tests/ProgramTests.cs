using System.Net;
using System.Net.WebSockets;

namespace RealtimeKit.Showcase.Tests;

public class ProgramTests(Site site) : IClassFixture<Site>
{
    [Fact(Timeout = Until.Bound)]
    public async Task Terminate_PagesAreOpen_DrainsAndExits0()
    {
        await using var showcase = await EchoProcess.StartSampleAsync("ShowcaseAssembly");
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new UriBuilder(showcase.HttpUri) { Scheme = "ws", Path = "/comparison/socket" }.Uri, Until.Cancelled);
        using var http = new HttpClient();
        using var events = await http.GetAsync(new Uri(showcase.HttpUri, "/sensors/live"), HttpCompletionOption.ResponseHeadersRead, Until.Cancelled);
        var received = await socket.ReceiveAsync(new byte[1024], Until.Cancelled);
        received.MessageType.Should().Be(WebSocketMessageType.Text);
        showcase.Terminate();
        while (received.MessageType != WebSocketMessageType.Close)
            received = await socket.ReceiveAsync(new byte[1024], Until.Cancelled);
        socket.CloseStatus.Should().Be(WebSocketCloseStatus.EndpointUnavailable);
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, Until.Cancelled);
        (await showcase.ExitCodeAsync()).Should().Be(0);
    }

    [Theory(Timeout = Until.Bound)]
    [InlineData("--nonsense")]
    [InlineData("--port")]
    [InlineData("--port 70000")]
    [InlineData("--self-test /nowhere")]
    public async Task Start_FlagsAreWrong_Exits2WithOneLine(string flags)
    {
        var (exitCode, output, error) = await EchoProcess.RunSampleAsync("ShowcaseAssembly", flags.Split(' '));
        exitCode.Should().Be(2);
        output.Should().BeEmpty();
        error.TrimEnd().Should().NotContain("\n").And.StartWith("showcase: ");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Page_Headers_LetNothingInFromElsewhere()
    {
        using var http = new HttpClient { BaseAddress = site.Uri };
        using var page = await http.GetAsync("/chat", Until.Cancelled);
        page.StatusCode.Should().Be(HttpStatusCode.OK);
        var policy = page.Headers.GetValues("Content-Security-Policy").Single();
        policy.Should().Contain("default-src 'none'").And.NotContain("unsafe").And.NotContain("*").And.NotContain("http");
        page.Headers.GetValues("X-Content-Type-Options").Should().Equal("nosniff");

        // What it shows is what was compiled.
        var shown = WebUtility.HtmlDecode(System.Text.RegularExpressions.Regex.Replace(await page.Content.ReadAsStringAsync(Until.Cancelled), "</?span[^>]*>", ""));
        var source = await File.ReadAllTextAsync(Path.Combine(Site.Path("Showcase"), "Pages", "Chat.cs"), Until.Cancelled);
        shown.Should().Contain(source[source.IndexOf("internal static class", StringComparison.Ordinal)..].TrimEnd());
    }

    [Theory(Timeout = Until.Bound)]
    [InlineData("/ticker/news")]
    [InlineData("/comparison/cut?key=0123456789abcdef0123")]
    public async Task Post_FromAnotherOrigin_IsRefused(string path)
    {
        using var http = new HttpClient { BaseAddress = site.Uri };
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent("x") };
        request.Headers.Add("Origin", "https://evil.example");
        using var answer = await http.SendAsync(request, Until.Cancelled);
        answer.StatusCode.Should().Be(HttpStatusCode.Forbidden);
    }

    [Theory(Timeout = Until.Bound)]
    [InlineData("/chat/live?name=x")]
    [InlineData("/collaboration/live/lobby")]
    [InlineData("/game/live")]
    [InlineData("/inspector/live")]
    [InlineData("/comparison/socket")]
    public async Task WebSocket_FromAnotherOrigin_IsRefused(string path)
    {
        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Origin", "https://evil.example");
        socket.Options.CollectHttpResponseDetails = true;
        await socket.Awaiting(socket => socket.ConnectAsync(new Uri($"ws://{site.Uri.Authority}{path}"), Until.Cancelled)).Should().ThrowAsync<WebSocketException>();
        socket.HttpStatusCode.Should().Be(HttpStatusCode.Forbidden);
    }
}
