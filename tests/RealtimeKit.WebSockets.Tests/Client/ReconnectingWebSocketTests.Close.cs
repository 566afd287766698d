using System.Net.WebSockets;
using RealtimeKit.WebSockets.Tests.Connection.Kit;

namespace RealtimeKit.WebSockets.Tests.Client;

public sealed partial class ReconnectingWebSocketTests
{
    [Fact]
    public async Task CloseAsync_WhileWaiting_EndsAtOnce()
    {
        var socket = Create();
        _failures.Enqueue(Transient());
        var connect = socket.ConnectAsync();
        await Bounds.Until(() => socket.State == ReconnectingWebSocketState.Waiting);
        (await socket.CloseAsync(WebSocketCloseStatus.NormalClosure).Within()).Should().BeNull();
        await FluentActions.Awaiting(() => connect.Within()).Should().ThrowAsync<WebSocketException>();
        await socket.DisposeAsync();
        _connects.Should().Be(1);
    }

    [Fact]
    public async Task CloseAsync_WhileConnecting_ClosesWhatComesAsAsked()
    {
        var isConnecting = new TaskCompletionSource();
        var mayConnect = new TaskCompletionSource();
        await using var socket = Create(options =>
        {
            var connectNow = options.Connect;
            options.Connect = async (uri, client, cancel) =>
            {
                isConnecting.SetResult();
                await mayConnect.Task;
                return await connectNow(uri, client, cancel);
            };
        });
        var connect = socket.ConnectAsync();
        await isConnecting.Task.Within();
        var close = socket.CloseAsync(4001, "enough");
        mayConnect.SetResult();

        var server = await NextServerAsync();
        (await server.ReceiveAsync().Within()).Type.Should().Be(WebSocketMessageType.Close);
        server.CloseResult.Should().Be(new WebSocketCloseResult((WebSocketCloseStatus)4001, "enough", WebSocketCloseInitiator.Remote, true));
        (await close.Within()).Should().Be(new WebSocketCloseResult((WebSocketCloseStatus)4001, "enough", WebSocketCloseInitiator.Local, true));
        await FluentActions.Awaiting(() => connect.Within()).Should().NotThrowAsync<TimeoutException>("it was open for a moment, or never");
    }

    [Theory]
    [InlineData("connecting")]
    [InlineData("connected")]
    public async Task CloseAsync_FromItsOwnCallback_Ends(string callback)
    {
        ReconnectingWebSocket? socket = null;
        WebSocketCloseResult? result = null;
        var closed = new TaskCompletionSource();
        socket = Create(options =>
        {
            if (callback == "connecting")
                options.OnConnecting = (_, _) => CloseAsync();
            else
                options.OnConnected = (_, _) => CloseAsync();
        });
        await FluentActions.Awaiting(() => socket.ConnectAsync().Within()).Should().ThrowAsync<WebSocketException>();
        await closed.Task.Within();
        socket.State.Should().Be(ReconnectingWebSocketState.Closed);
        result.Should().BeNull("nobody was given a connection");
        await socket.DisposeAsync().AsTask().Within();

        async ValueTask CloseAsync()
        {
            result = await socket!.CloseAsync(WebSocketCloseStatus.NormalClosure);
            closed.SetResult();
        }
    }

    [Fact]
    public async Task CloseAsync_CallbackDoesNotLookAtItsToken_Ends()
    {
        var isCalled = new TaskCompletionSource();
        await using var socket = Create(options => options.OnConnected = async (_, _) =>
        {
            isCalled.SetResult();
            await Task.Delay(Timeout.Infinite, CancellationToken.None);
        });
        var connect = socket.ConnectAsync();
        await isCalled.Task.Within();
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure).Within();
        await FluentActions.Awaiting(() => connect.Within()).Should().ThrowAsync<WebSocketException>();
    }
}
