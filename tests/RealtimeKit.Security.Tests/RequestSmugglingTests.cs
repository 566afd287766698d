using Microsoft.AspNetCore.Http;

namespace RealtimeKit.Security.Tests;

/// <summary>SECURITY.md, request smuggling: what the host and this library read differently from a proxy in front of them.</summary>
public class RequestSmugglingTests
{
    /// <summary>SECURITY.md: with it came the fix of CVE-2025-55315.</summary>
    private static readonly Version MinimumRuntime = new(10, 0, 0);

    [Fact]
    public void Runtime_IsAtTheDocumentedPatchLevelOrAbove()
    {
        Environment.Version.Should().BeGreaterThanOrEqualTo(MinimumRuntime);
        File.ReadAllText(Path.Combine(Repository.Root, "SECURITY.md")).Should().Contain($".NET {MinimumRuntime}");
    }

    [Theory(Timeout = Until.Bound)]
    [InlineData("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n1;a=b\nX\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n2;\nxx\r\n4c\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n0x1\r\nX\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n")]
    [InlineData("Content-Length: 1\r\nContent-Length: 40\r\n\r\nX")]
    [InlineData("Content-Length: 1, 1\r\n\r\nX")]
    [InlineData("Content-Length : 1\r\n\r\nX")]
    [InlineData("Content-Length: 1\r\n X-Folded: 1\r\n\r\nX")]
    public async Task Post_WithTwoReadings_PublishesNothingSmuggled(string rest)
    {
        var published = await SendAsync(rest);
        AssertNothingSmuggled(published);
    }

    // The proof: the same second request, after a body that everybody reads alike, is one that is carried out.
    [Fact(Timeout = Until.Bound)]
    public async Task Post_WithOneReading_IsFollowedByTheNext()
    {
        var published = await SendAsync("Content-Length: 1\r\n\r\nX", isFollowed: true);
        Proof.FailsWithoutTheLimit(() => AssertNothingSmuggled(published));
    }

    // An upgrade that is refused must not leave the bytes behind it to be read as the next request of somebody else's connection.
    [Theory(Timeout = Until.Bound)]
    [InlineData("Sec-WebSocket-Version: 12\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", 426)]
    [InlineData("Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n", 400)]
    public async Task Upgrade_Refused_IsNotTakenForAccepted(string headers, int status)
    {
        await using var server = await Hosts.StartAsync(Wire.Pipes);
        await using var peer = await RawWebSocket.OpenAsync(server.Port, isTls: false);
        await peer.SendHeadAsync($"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{headers}");
        peer.StatusCode.Should().Be(status);
        peer.Head.Should().NotContain("upgrade: websocket\r\nconnection: upgrade");
    }

    // Our own reading, as a client: an answer with two readings is no answer.
    [Theory(Timeout = Until.Bound)]
    [InlineData("HTTP/1.1 101 X\nUpgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Accept: {accept}\nSec-WebSocket-Protocol: evil\n\n")]
    [InlineData("HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}, {accept}\r\n\r\n")]
    [InlineData("HTTP/1.0 101 X\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\nContent-Length: 0\r\n\r\n")]
    public async Task Client_AnswerWithTwoReadings_IsRefused(string answer)
    {
        await using var server = new RawServer(answer);
        await FluentActions.Awaiting(() => WebSocketClient.ConnectAsync(server.Uri, new WebSocketClientOptions { SubProtocols = ["chat"] }, Until.Cancelled)).Should().ThrowAsync<WebSocketConnectException>();
    }

    private static void AssertNothingSmuggled(int published) => published.Should().Be(0);

    private static async Task<int> SendAsync(string rest, bool isFollowed = false)
    {
        var smuggled = 0;
        await using var server = await TopicsServer.StartAsync(Wire.Pipes, TopicsServer.AllowPublish, map: app =>
        {
            app.MapWebSocket("/echo", Handlers.EchoAsync);
            app.MapPost("/smuggled", (HttpContext _) => Interlocked.Increment(ref smuggled));
        });
        await using var bystander = await Bystander.JoinAsync(server);
        await using var peer = await RawWebSocket.OpenAsync(server.Port, isTls: false);
        await peer.Stream.WriteAsync(Encoding.ASCII.GetBytes($"POST /live/a HTTP/1.1\r\nHost: a\r\n{rest}POST /smuggled HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"), Until.Cancelled);
        if (isFollowed)
            await Until.TrueAsync(() => Volatile.Read(ref smuggled) == 1);
        (await ReadAsync(peer)).Should().NotContain("HTTP/1.1 500", "a broken body is the client's fault");
        await bystander.IsServedAsync();
        return smuggled;
    }

    // Answers, the end, or nothing more for a while: a server that waits for the rest of a body says nothing.
    private static async Task<string> ReadAsync(RawWebSocket peer)
    {
        var answers = new StringBuilder();
        var buffer = new byte[4096];
        using var quiet = CancellationTokenSource.CreateLinkedTokenSource(Until.Cancelled);
        try
        {
            int count;
            do
            {
                quiet.CancelAfter(TimeSpan.FromMilliseconds(400));
                count = await peer.Stream.ReadAsync(buffer, quiet.Token);
                answers.Append(Encoding.ASCII.GetString(buffer, 0, count));
            }
            while (count > 0);
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
        }

        return answers.ToString();
    }
}
