using System.Net.WebSockets;

namespace RealtimeKit.Showcase.Tests;

/// <summary>The server's half of y-protocols, byte for byte, without a browser: what is stored, merged, echoed and refused.</summary>
public class YProtocolTests(Site site) : IClassFixture<Site>
{
    private static readonly byte[] SyncStep1 = [0, 0, 1, 0];
    private static readonly byte[] ThatWasEverything = [0, 1, 2, 0, 0];

    [Fact(Timeout = Until.Bound)]
    public async Task SyncStep1_RoomHasUpdates_IsAnsweredWithAllThenStep2ThenAskedBack()
    {
        var room = NewRoom();
        using var ada = await ConnectAsync(room);
        await SendAsync(ada, 0, 2, 3, 7, 8, 9);
        await SyncAsync(ada, [0, 2, 3, 7, 8, 9]);
        ada.Abort();

        // Everybody has left; the document has not.
        using var bob = await ConnectAsync(room);
        await SyncAsync(bob, [0, 2, 3, 7, 8, 9]);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task SyncStep2_AfterEverythingWasSent_StandsForWhatWasSentAndNotForWhatCameMeanwhile()
    {
        var room = NewRoom();
        using var ada = await ConnectAsync(room);
        using var bob = await EnterAsync(room);
        await SendAsync(ada, 0, 2, 1, 11);
        (await ReceiveAsync(bob)).Should().Equal(0, 2, 1, 11);
        await SyncAsync(ada, [0, 2, 1, 11]);
        await SendAsync(bob, 0, 2, 1, 22);
        (await ReceiveAsync(ada)).Should().Equal(0, 2, 1, 22);

        // Ada answers what she was asked before Bob's update: hers stands for the first, Bob's stays.
        await SendAsync(ada, 0, 1, 2, 33, 44);
        (await ReceiveAsync(bob)).Should().Equal(0, 2, 2, 33, 44);
        using var carol = await ConnectAsync(room);
        await SyncAsync(carol, [0, 2, 1, 22], [0, 2, 2, 33, 44]);

        // An update that is there already is neither stored nor told again.
        await SendAsync(carol, 0, 1, 1, 22);
        await SyncAsync(carol, [0, 2, 1, 22], [0, 2, 2, 33, 44]);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Awareness_IsNew_IsToldToAllAndItsSenderButOnlyOnce()
    {
        var room = NewRoom();
        using var ada = await ConnectAsync(room);
        using var bob = await EnterAsync(room);
        byte[] state = [1, 7, 1, 5, 1, 3, (byte)'"', (byte)'a', (byte)'"'];   // client 5, clock 1
        await SendAsync(ada, state);
        (await ReceiveAsync(ada)).Should().Equal(state);
        (await ReceiveAsync(bob)).Should().Equal(state);

        // Clients send on what they hear: it must end here.
        await SendAsync(bob, state);
        await SendAsync(bob, 3);   // who is there?
        (await ReceiveAsync(bob)).Should().Equal(state);
        ada.Abort();
        (await ReceiveAsync(bob)).Should().Equal(1, 8, 1, 5, 1, 4, (byte)'n', (byte)'u', (byte)'l', (byte)'l');
    }

    [Theory(Timeout = Until.Bound)]
    [InlineData(new byte[0])]
    [InlineData(new byte[] { 9 })]
    [InlineData(new byte[] { 0, 2, 200, 1 })]
    [InlineData(new byte[] { 0, 7, 0 })]
    [InlineData(new byte[] { 1, 2, 5, 5 })]
    [InlineData(new byte[] { 255, 255, 255, 255, 255, 255, 255, 255, 255, 255 })]
    public async Task Receive_IsNotTheProtocol_ClosesWith4400(byte[] message)
    {
        using var ada = await ConnectAsync(NewRoom());
        await SendAsync(ada, message);
        var result = await ada.ReceiveAsync(new byte[64], Until.Cancelled);
        result.CloseStatus.Should().Be((WebSocketCloseStatus)4400);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Receive_DocumentIsFull_ClosesWith4413AndKeepsWhatWasThere()
    {
        var room = NewRoom();
        using var ada = await ConnectAsync(room);
        var update = new byte[5 + 600_000];
        (update[1], update[2], update[3], update[4]) = (2, 0xC0, 0xCF, 0x24);   // 600,000 = 0x927C0
        await ada.SendAsync(update, WebSocketMessageType.Binary, true, Until.Cancelled);
        update[^1] = 1;
        await ada.SendAsync(update, WebSocketMessageType.Binary, true, Until.Cancelled);
        (await ada.ReceiveAsync(new byte[64], Until.Cancelled)).CloseStatus.Should().Be((WebSocketCloseStatus)4413, "y-websocket does not come back after 4400 to 4499");
        using var bob = await ConnectAsync(room);
        await SendAsync(bob, SyncStep1);
        (await ReceiveAsync(bob)).Should().HaveCount(update.Length).And.EndWith((byte)0);
    }

    private static string NewRoom() => $"test-{Guid.NewGuid():N}"[..20];

    private async Task<ClientWebSocket> ConnectAsync(string room)
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{site.Uri.Authority}/collaboration/live/{room}"), Until.Cancelled);
        return socket;
    }

    // The handshake is answered before the room has its new member; whoever is answered by the room is in it.
    private async Task<ClientWebSocket> EnterAsync(string room)
    {
        var socket = await ConnectAsync(room);
        await SendAsync(socket, 3);   // who is there?
        (await ReceiveAsync(socket)).Should().Equal(1, 1, 0);
        return socket;
    }

    private static Task SendAsync(ClientWebSocket socket, params byte[] message) =>
        socket.SendAsync(message, WebSocketMessageType.Binary, true, Until.Cancelled);

    private static async Task<byte[]> ReceiveAsync(ClientWebSocket socket)
    {
        var buffer = new byte[1024 * 1024];
        var length = 0;
        WebSocketReceiveResult result;
        do
        {
            result = await socket.ReceiveAsync(new ArraySegment<byte>(buffer, length, buffer.Length - length), Until.Cancelled);
            length += result.Count;
        }
        while (!result.EndOfMessage);
        return buffer[..length];
    }

    private static async Task SyncAsync(ClientWebSocket socket, params byte[][] expected)
    {
        await SendAsync(socket, SyncStep1);
        foreach (var update in expected)
            (await ReceiveAsync(socket)).Should().Equal(update);
        (await ReceiveAsync(socket)).Should().Equal(ThatWasEverything);
        (await ReceiveAsync(socket)).Should().Equal(1, 1, 0);
        (await ReceiveAsync(socket)).Should().Equal(SyncStep1, "the server asks back");
    }
}
