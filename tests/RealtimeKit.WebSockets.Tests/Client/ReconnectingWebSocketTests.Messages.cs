using System.Net.WebSockets;
using System.Threading.Channels;
using RealtimeKit.WebSockets.Tests.Connection.Kit;

namespace RealtimeKit.WebSockets.Tests.Client;

public sealed partial class ReconnectingWebSocketTests
{
    [Fact]
    public async Task ReadAllAsync_AcrossConnections_IsOneSequence()
    {
        await using var socket = Create();
        var received = Channel.CreateUnbounded<string>();
        var read = Task.Run(async () =>
        {
            await foreach (var message in socket.ReadAllAsync())
                received.Writer.TryWrite(message.GetText());
        });
        for (var i = 0; i < 5; i++)
        {
            var server = await NextServerAsync();
            await server.SendAsync($"a{i}");
            await server.SendAsync($"b{i}");
            (await received.Reader.ReadAsync().Within()).Should().Be($"a{i}");
            (await received.Reader.ReadAsync().Within()).Should().Be($"b{i}");
            if (i % 2 == 0)
                server.Abort();
            else
                await server.CloseAsync(WebSocketCloseStatus.EndpointUnavailable, null).Within();
            await PassUntil(() => _connects == i + 2);
        }

        await (await NextServerAsync()).CloseAsync(WebSocketCloseStatus.NormalClosure).Within();
        await read.Within();   // RFC 6455 §7.4.1: 1000 says that the purpose has been fulfilled
        socket.State.Should().Be(ReconnectingWebSocketState.Closed);
        socket.LastError.Should().BeNull();
    }

    [Fact]
    public async Task ReadAllAsync_LostWithUnreadMessages_GivesThemFirst()
    {
        await using var socket = Create();
        var gate = new SemaphoreSlim(0);
        var received = new List<string>();
        var read = Task.Run(async () =>
        {
            await foreach (var message in socket.ReadAllAsync())
            {
                var text = message.GetText();
                await gate.WaitAsync();
                received.Add(text);
                if (text == "four")
                    return;
            }
        });
        var first = await NextServerAsync();
        await first.SendAsync("one");
        await first.SendAsync("two");
        await first.SendAsync("three");
        await first.PingAsync().Within();   // whose answer shows that they have arrived
        first.Abort();
        await PassUntil(() => _connects == 2);
        await (await NextServerAsync()).SendAsync("four");
        gate.Release(4);
        await read.Within();
        received.Should().Equal("one", "two", "three", "four");
    }

    [Fact]
    public async Task ReadAllAsync_LeftAndEnteredAgain_GoesOn()
    {
        await using var socket = Create();
        await socket.ConnectAsync().Within();
        var server = await NextServerAsync();
        for (var i = 0; i < 3; i++)
        {
            await server.SendAsync($"{i}");
            await foreach (var message in socket.ReadAllAsync())
            {
                message.GetText().Should().Be($"{i}");
                break;
            }
        }

        _connects.Should().Be(1);
    }

    [Fact]
    public async Task Sends_WithoutAConnection_WaitInOrder()
    {
        await using var socket = Create();
        await socket.ConnectAsync().Within();
        _failures.Enqueue(Transient());
        (await NextServerAsync()).Abort();
        await Bounds.Until(() => socket.State == ReconnectingWebSocketState.Waiting);
        var sends = Enumerable.Range(0, 50).Select(i => socket.SendAsync($"{i}").AsTask()).ToArray();
        sends.Should().OnlyContain(send => !send.IsCompleted);
        await PassUntil(() => _connects == 3);
        var server = await NextServerAsync();
        for (var i = 0; i < 50; i++)
            (await server.ReceiveAsync().Within()).GetText().Should().Be($"{i}");
        await Task.WhenAll(sends).Within();
    }

    [Fact]
    public async Task Sends_ThatDoNotWait_Fail()
    {
        await using var socket = Create(options => options.SendsWait = false);
        await FluentActions.Awaiting(() => socket.SendAsync("x").Within()).Should().ThrowAsync<WebSocketException>();
        await socket.ConnectAsync().Within();
        var server = await NextServerAsync();
        await socket.SendAsync("y").Within();
        (await server.ReceiveAsync().Within()).GetText().Should().Be("y");
        server.Abort();
        await Bounds.Until(() => socket.State == ReconnectingWebSocketState.Waiting);
        await FluentActions.Awaiting(() => socket.SendAsync("z").Within()).Should().ThrowAsync<WebSocketException>();
    }

    [Fact]
    public async Task Sends_TooManyWait_Fail()
    {
        await using var socket = Create(options => options.MaxWaitingSends = 3);
        _failures.Enqueue(Transient());
        var sends = Enumerable.Range(0, 3).Select(i => socket.SendAsync($"{i}").AsTask()).ToArray();
        await FluentActions.Awaiting(() => socket.SendAsync("one too many").Within()).Should().ThrowAsync<WebSocketException>();
        await PassUntil(() => _connects == 2);
        await Task.WhenAll(sends).Within();
    }

    [Fact]
    public async Task OnConnected_RunsBeforeWaitingSends()
    {
        await using var socket = Create(options => options.OnConnected = async (connection, token) => await connection.SendAsync("login", token));
        var send = socket.SendAsync("after").AsTask();
        var server = await NextServerAsync();
        (await server.ReceiveAsync().Within()).GetText().Should().Be("login");
        (await server.ReceiveAsync().Within()).GetText().Should().Be("after");
        await send.Within();
    }

    [Fact]
    public async Task ReadAllAsync_AfterAViolation_ReadsTheNextConnection()
    {
        await using var socket = Create(options =>
        {
            options.Client.Connection.MaxMessageSize = 100;
            options.ShouldReconnect = _ => true;
        });
        var read = ReadOneAsync(socket);
        await (await NextServerAsync()).SendAsync(new byte[200], WebSocketMessageType.Binary);
        await FluentActions.Awaiting(() => read).Should().ThrowAsync<WebSocketProtocolException>();
        await PassUntil(() => _connects == 2);
        await (await NextServerAsync()).SendAsync("x");
        (await ReadOneAsync(socket).Within()).Should().Be("x");
    }

    [Fact]
    public async Task ReadAllAsync_Twice_IsRefused()
    {
        await using var socket = Create();
        var read = ReadOneAsync(socket);
        await NextServerAsync();
        await FluentActions.Awaiting(() => ReadOneAsync(socket)).Should().ThrowAsync<InvalidOperationException>();
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure).Within();
        (await read.Within()).Should().BeNull();
    }
}
