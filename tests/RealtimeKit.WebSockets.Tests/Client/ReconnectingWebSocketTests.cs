using System.Collections.Concurrent;
using System.Net;
using System.Net.Http;
using System.Net.WebSockets;
using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;
using RealtimeKit.WebSockets.Tests.Connection.Kit;

namespace RealtimeKit.WebSockets.Tests.Client;

/// <summary>Reconnecting over connections in memory, on a clock of the test's own.</summary>
public sealed partial class ReconnectingWebSocketTests : IAsyncDisposable
{
    private static readonly Uri Anywhere = new("ws://test.invalid/");
    private readonly DelayClock _clock = new();
    private readonly Channel<WebSocketConnection> _servers = Channel.CreateUnbounded<WebSocketConnection>();
    private readonly ConcurrentQueue<Exception> _failures = [];
    private readonly ConcurrentQueue<WebSocketConnection> _made = [];
    private int _connects;

    [Fact]
    public async Task ConnectAsync_FirstTime_IsOpenAndSeen()
    {
        await using var socket = Create();
        var states = new List<ReconnectingWebSocketState>();
        socket.StateChanged += (_, state) => states.Add(state);
        socket.State.Should().Be(ReconnectingWebSocketState.Idle);
        await socket.ConnectAsync().Within();
        var server = await NextServerAsync();
        socket.Current.Should().NotBeNull();
        socket.LastError.Should().BeNull();

        _ = server.ReceiveAsync().AsTask();
        (await socket.CloseAsync((WebSocketCloseStatus)4000, "done").Within()).Should().Be(new WebSocketCloseResult((WebSocketCloseStatus)4000, "done", WebSocketCloseInitiator.Local, true));
        states.Should().Equal(ReconnectingWebSocketState.Connecting, ReconnectingWebSocketState.Open, ReconnectingWebSocketState.Closed);
        await FluentActions.Awaiting(() => socket.ConnectAsync().Within()).Should().ThrowAsync<WebSocketException>();
    }

    [Fact]
    public async Task Delays_Failures_GrowAndStartAnewAfterALastingConnection()
    {
        await using var socket = Create(options =>
        {
            options.MinDelay = TimeSpan.FromSeconds(1);
            options.MaxDelay = TimeSpan.FromSeconds(5);
            options.ResetThreshold = TimeSpan.FromSeconds(10);
            options.Chance = () => 0;
        });
        for (var i = 0; i < 4; i++)
            _failures.Enqueue(Transient());
        var connect = socket.ConnectAsync();
        await PassUntil(() => connect.IsCompleted);
        _clock.Delays.Select(delay => delay.TotalSeconds).Should().Equal(1, 2, 4, 5);

        // One that does not last goes on with the long delays, one that lasts begins anew.
        (await NextServerAsync()).Abort();
        await Bounds.Until(() => socket.State == ReconnectingWebSocketState.Waiting);
        await PassUntil(() => _connects == 6);
        var lasting = await NextServerAsync();
        await Bounds.Until(() => socket.State == ReconnectingWebSocketState.Open);
        _clock.Advance(TimeSpan.FromSeconds(11));
        lasting.Abort();
        await PassUntil(() => _connects == 7);
        _clock.Delays.Select(delay => delay.TotalSeconds).Should().Equal(1, 2, 4, 5, 5, 1);
    }

    [Theory]
    [InlineData(1, 0, 0.5)]
    [InlineData(1, 1, 0)]
    [InlineData(3, 0.5, 0.25)]
    public void GetDelay_Jitter_TakesItsShare(int failures, double chance, double jitter)
    {
        var options = new ReconnectingWebSocketOptions { Jitter = jitter, Chance = () => chance };
        options.GetDelay(failures, null).TotalSeconds.Should().BeApproximately(Math.Pow(2, failures - 1) * (1 - jitter * chance), 1e-6);
        options.GetDelay(1000, null).Should().BeLessThanOrEqualTo(options.MaxDelay);
        options.GetDelay(failures, TimeSpan.FromSeconds(60)).TotalSeconds.Should().BeGreaterThan(60);
        options.GetDelay(failures, TimeSpan.FromDays(1)).Should().BeLessThan(options.MaxRetryAfter + options.MaxDelay);
    }

    [Fact]
    public async Task Connect_PermanentError_EndsIt()
    {
        await using var socket = Create();
        _failures.Enqueue(new WebSocketConnectException("no") { StatusCode = HttpStatusCode.NotFound });
        (await FluentActions.Awaiting(() => socket.ConnectAsync().Within()).Should().ThrowAsync<WebSocketConnectException>()).Which.StatusCode.Should().Be(HttpStatusCode.NotFound);
        socket.State.Should().Be(ReconnectingWebSocketState.Closed);
        await FluentActions.Awaiting(() => ReadOneAsync(socket)).Should().ThrowAsync<WebSocketConnectException>();
        await FluentActions.Awaiting(() => socket.SendAsync("x").Within()).Should().ThrowAsync<WebSocketConnectException>();
        _connects.Should().Be(1);
    }

    [Fact]
    public async Task OnConnecting_AfterA401_BringsANewToken()
    {
        var tokens = new List<string?>();
        await using var socket = Create(
            options => options.OnConnecting = async (attempt, _) =>
            {
                await Task.Yield();
                attempt.Options.SetHeader("Authorization", $"token {attempt.Failures} {(attempt.LastError as WebSocketConnectException)?.StatusCode}");
            },
            (_, options) => tokens.Add(options.Headers["Authorization"]));
        _failures.Enqueue(Unauthorized());
        var connect = socket.ConnectAsync();
        await PassUntil(() => connect.IsCompleted);
        await connect;
        tokens.Should().Equal("token 0 ", "token 1 Unauthorized");

        // A second one in a row is permanent: the new token is no better.
        _failures.Enqueue(Unauthorized());
        _failures.Enqueue(Unauthorized());
        (await NextServerAsync()).Abort();
        await PassUntil(() => socket.State == ReconnectingWebSocketState.Closed);
        tokens.Should().HaveCount(4);
        socket.LastError.Should().BeOfType<WebSocketConnectException>();
    }

    [Fact]
    public async Task Connect_401WithoutACallback_IsPermanent()
    {
        await using var socket = Create();
        _failures.Enqueue(Unauthorized());
        await FluentActions.Awaiting(() => socket.ConnectAsync().Within()).Should().ThrowAsync<WebSocketConnectException>();
        _connects.Should().Be(1);
    }

    [Theory]
    [InlineData(1000, false)]
    [InlineData(1001, true)]
    [InlineData(1002, false)]
    [InlineData(1008, false)]
    [InlineData(1011, true)]
    [InlineData(1012, true)]
    [InlineData(1013, true)]
    [InlineData(3000, false)]
    [InlineData(4000, true)]
    public async Task Close_ByThePeer_ReconnectsUnlessItWouldComeAgain(int status, bool reconnects)
    {
        await using var socket = Create();
        await socket.ConnectAsync().Within();
        await (await NextServerAsync()).CloseAsync((WebSocketCloseStatus)status).Within();
        await PassUntil(() => _connects == 2 || socket.State == ReconnectingWebSocketState.Closed);
        (socket.State == ReconnectingWebSocketState.Closed).Should().Be(!reconnects);
        if (status is not 1000 && !reconnects)
            (await FluentActions.Awaiting(() => ReadOneAsync(socket)).Should().ThrowAsync<WebSocketException>()).WithMessage($"*{status}*");
    }

    [Fact]
    public async Task ShouldReconnect_Asked_Decides()
    {
        WebSocketDisconnect? asked = null;
        await using var socket = Create(options => options.ShouldReconnect = disconnect =>
        {
            asked = disconnect;
            return disconnect.CloseResult?.Status != (WebSocketCloseStatus)4001;
        });
        await socket.ConnectAsync().Within();
        await (await NextServerAsync()).CloseAsync(WebSocketCloseStatus.NormalClosure).Within();
        await PassUntil(() => _connects == 2);
        asked!.Value.IsTransient.Should().BeFalse();
        await (await NextServerAsync()).CloseAsync((WebSocketCloseStatus)4001).Within();
        await Bounds.Until(() => socket.State == ReconnectingWebSocketState.Closed);
        asked!.Value.CloseResult!.Value.Initiator.Should().Be(WebSocketCloseInitiator.Remote);
    }

    [Fact]
    public async Task MaxFailures_Reached_EndsIt()
    {
        await using var socket = Create(options => options.MaxFailures = 3);
        for (var i = 0; i < 10; i++)
            _failures.Enqueue(Transient());
        var connect = socket.ConnectAsync();
        await PassUntil(() => connect.IsCompleted);
        await FluentActions.Awaiting(() => connect).Should().ThrowAsync<WebSocketConnectException>();
        _connects.Should().Be(3);
    }

    [Fact]
    public async Task Callback_Throws_EndsItWithThatError()
    {
        await using var socket = Create(options => options.OnConnected = (_, _) => throw new InvalidDataException("mine"));
        (await FluentActions.Awaiting(() => socket.ConnectAsync().Within()).Should().ThrowAsync<WebSocketException>()).WithInnerException<InvalidDataException>();
        socket.State.Should().Be(ReconnectingWebSocketState.Closed);
    }

    [Fact]
    public async Task StateChanged_Throws_EndsItAndItsConnection()
    {
        await using var socket = Create();
        socket.StateChanged += (_, state) =>
        {
            if (state == ReconnectingWebSocketState.Open)
                throw new InvalidDataException("mine");
        };
        await FluentActions.Awaiting(() => ReadOneAsync(socket)).Should().ThrowAsync<InvalidDataException>();
        (await (await NextServerAsync()).ReceiveAsync().Within()).Type.Should().Be(WebSocketMessageType.Close);
    }

    [Fact]
    public async Task Violation_ByThePeer_EndsItAndIsSeen()
    {
        await using var socket = Create(options => options.Client.Connection.MaxMessageSize = 100);
        var read = ReadOneAsync(socket);
        await (await NextServerAsync()).SendAsync(new byte[200], WebSocketMessageType.Binary);
        (await FluentActions.Awaiting(() => read).Should().ThrowAsync<WebSocketProtocolException>()).Which.Error.Should().Be(WebSocketProtocolError.MessageTooBig);
        await Bounds.Until(() => socket.State == ReconnectingWebSocketState.Closed);
        _connects.Should().Be(1, "the next message would be as large");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _made)
        {
            server.Abort();
            await server.DisposeAsync();
        }
    }

    private static WebSocketConnectException Transient() => new("away") { IsTransient = true, RequestError = HttpRequestError.ConnectionError };

    private static WebSocketConnectException Unauthorized() => new("who?") { StatusCode = HttpStatusCode.Unauthorized };

    private static async Task<string?> ReadOneAsync(ReconnectingWebSocket socket)
    {
        await foreach (var message in socket.ReadAllAsync())
            return message.GetText();
        return null;
    }

    private ReconnectingWebSocket Create(Action<ReconnectingWebSocketOptions>? configure = null, Action<Uri, WebSocketClientOptions>? onConnect = null)
    {
        var options = new ReconnectingWebSocketOptions
        {
            Client = { Connection = { TimeProvider = _clock, CloseTimeout = TimeSpan.FromSeconds(2) } },
            Connect = (uri, clientOptions, _) =>
            {
                Interlocked.Increment(ref _connects);
                onConnect?.Invoke(uri, clientOptions);
                if (_failures.TryDequeue(out var failure))
                    return Task.FromException<WebSocketConnection>(failure);
                clientOptions.Connection.TimeProvider = TimeProvider.System;
                var (client, server) = WebSocketConnection.CreatePair(clientOptions.Connection);
                _made.Enqueue(server);
                _servers.Writer.TryWrite(server);
                return Task.FromResult(client);
            },
        };
        configure?.Invoke(options);
        return new ReconnectingWebSocket(Anywhere, options);
    }

    private async Task<WebSocketConnection> NextServerAsync() => await _servers.Reader.ReadAsync().AsTask().Within();

    private async Task PassUntil(Func<bool> condition)
    {
        for (var i = 0; !condition(); i++)
        {
            i.Should().BeLessThan(5000, "the state is reached");
            _clock.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Delay(1);
        }
    }

    /// <summary>Keeps how long each wait is to last: measured from outside, it would be that and the time until somebody looks.</summary>
    private sealed class DelayClock : FakeTimeProvider
    {
        public ConcurrentQueue<TimeSpan> Delays { get; } = [];

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Delays.Enqueue(dueTime);
            return base.CreateTimer(callback, state, dueTime, period);
        }
    }
}
