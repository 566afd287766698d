namespace RealtimeKit.Security.Tests;

/// <summary>SECURITY.md, bad extension parameters: what a careless parser of <c>Sec-WebSocket-Extensions</c> throws on, or believes.</summary>
public class BadExtensionParametersTests
{
    // RFC 7692 §7.1: the server declines an offer whose parameters are not as they should be; the connection goes on without it.
    public static TheoryData<string> Declined =>
    [
        "permessage-deflate; server_max_window_bits=7",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=0",
        "permessage-deflate; server_max_window_bits=4294967304",
        "permessage-deflate; server_max_window_bits=99999999999999999999999999",
        "permessage-deflate; server_max_window_bits=010",
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; client_max_window_bits=7",
        "permessage-deflate; client_max_window_bits=1000",
        "permessage-deflate; client_max_window_bits=\"x\"",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; client_max_window_bits; client_max_window_bits",
        "permessage-deflate; server_max_window_bits=10; server_max_window_bits=10",
        "permessage-deflate; unknown",
        "permessage-deflate; unknown=1",
        "permessage-deflate; constructor",
        "permessage-deflate; __proto__=8",
        "constructor",
        "__proto__",
        "toString; valueOf=1",
        "x-webkit-deflate-frame",
        "PERMESSAGE-deflate-stream",
    ];

    // No list of extensions at all (RFC 6455 §9.1).
    public static TheoryData<string> Malformed =>
    [
        ";", "=", "permessage-deflate;;", "permessage-deflate; =8", "permessage-deflate; client_max_window_bits=", "permessage-deflate; client_max_window_bits=\"8",
        "permessage-deflate client_max_window_bits", "permessage-deflate; client_max_window_bits=\"\"", "perm(essage", "permessage-deflate; a=b=c", "\"permessage-deflate\"",
    ];

    [Theory(Timeout = Until.Bound), MemberData(nameof(Declined))]
    public async Task Server_OfferOutOfBounds_DeclinesIt(string offer) => AssertHarmless(await OfferAsync(offer), acceptable: 101);

    [Theory(Timeout = Until.Bound), MemberData(nameof(Malformed))]
    public async Task Server_OfferMalformed_RefusesOrDeclinesIt(string offer) => AssertHarmless(await OfferAsync(offer), acceptable: 400);

    [Theory(Timeout = Until.Bound)]
    [InlineData("permessage-deflate")]
    [InlineData("permessage-deflate; server_max_window_bits=10; client_max_window_bits")]
    [InlineData("constructor, permessage-deflate; unknown, permessage-deflate")]
    public async Task Server_OfferInOrder_Agrees(string offer)
    {
        // The proof that the assertions above can fail: here is something to agree on.
        var outcome = await OfferAsync(offer);
        outcome.Head.Should().Contain("sec-websocket-extensions: permessage-deflate");
        Proof.FailsWithoutTheLimit(() => AssertHarmless(outcome, acceptable: 101));
    }

    [Theory(Timeout = Until.Bound), InlineData(64, 431), InlineData(100_000, 101)]
    public async Task Server_ThousandOffers_RefusesThem(int limit, int status)
    {
        var outcome = await OfferAsync(string.Join(',', Enumerable.Repeat("a;b;c", 1000)), limit);
        outcome.Status.Should().Be(status, "and with the limit raised they are read, declined, and no harm is done");
    }

    [Theory(Timeout = Until.Bound)]
    [InlineData("permessage-deflate; server_max_window_bits=7")]
    [InlineData("permessage-deflate; server_max_window_bits=16")]
    [InlineData("permessage-deflate; server_max_window_bits=99999999999999999999")]
    [InlineData("permessage-deflate; server_max_window_bits")]
    [InlineData("permessage-deflate; client_max_window_bits=16")]
    [InlineData("permessage-deflate; client_max_window_bits")]
    [InlineData("permessage-deflate; server_no_context_takeover=1")]
    [InlineData("permessage-deflate; server_no_context_takeover; server_no_context_takeover")]
    [InlineData("permessage-deflate; unknown")]
    [InlineData("permessage-deflate, permessage-deflate")]
    [InlineData("constructor")]
    [InlineData("permessage-deflate; server_max_window_bits=\"")]
    public async Task Client_AnswerOutOfBounds_FailsTheConnect(string answer)
    {
        await using var server = NewServer(answer);
        var error = (await FluentActions.Awaiting(() => ConnectAsync(server)).Should().ThrowAsync<WebSocketConnectException>("RFC 7692 §7.1 has it fail")).Which;
        error.HandshakeError.Should().NotBe(WebSocketHandshakeError.None);
        error.IsTransient.Should().BeFalse();
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Client_AnswerInOrder_Connects()
    {
        await using var server = NewServer("permessage-deflate; server_max_window_bits=10");
        await using var connection = await ConnectAsync(server);
        connection.State.Should().Be(WebSocketState.Open);
    }

    private static Task<WebSocketConnection> ConnectAsync(RawServer server) => WebSocketClient.ConnectAsync(
        server.Uri, new WebSocketClientOptions { Connection = { Compression = new() { ServerMaxWindowBits = 12, ServerContextTakeover = true }, CloseTimeout = TimeSpan.FromMilliseconds(50) } }, Until.Cancelled);

    private static RawServer NewServer(string answer) => new(
        $"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {{accept}}\r\nSec-WebSocket-Extensions: {answer}\r\n\r\n");

    private static void AssertHarmless((int Status, string Head, bool WorksWithout) outcome, int acceptable)
    {
        outcome.Status.Should().BeOneOf(101, acceptable);
        outcome.Head.Should().NotContain("sec-websocket-extensions");
        outcome.WorksWithout.Should().Be(outcome.Status == 101);
    }

    private static async Task<(int Status, string Head, bool WorksWithout)> OfferAsync(string offer, int maxListElements = 64)
    {
        await using var server = await Hosts.StartAsync(Wire.Pipes, options =>
        {
            options.Compression = new();
            options.Handshake.MaxListElements = maxListElements;
        });
        await using var bystander = await Bystander.JoinAsync(server);
        await using var peer = await server.ConnectRawAsync("/ws", $"Sec-WebSocket-Extensions: {offer}");
        var works = false;
        if (peer.StatusCode == 101)
        {
            await peer.SendAsync(RawWebSocket.Text("plain"));
            works = (await peer.ReceiveAsync())?.Text == "plain";
        }

        server.Logs.All.Should().NotContain(record => record.Exception != null, "nothing is thrown past the handshake");
        await bystander.IsServedAsync();
        return (peer.StatusCode, peer.Head, works);
    }
}
