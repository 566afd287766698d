using System.Net.WebSockets;
using System.Security.Claims;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Topics.Tests.Endpoints;

/// <summary>Topics with both subprotocols, and clients over connections in memory.</summary>
internal sealed class WebPubSubKit : IAsyncDisposable
{
    private readonly List<WebPubSubPeer> _peers = [];

    public WebPubSubKit(Action<TopicsOptions>? topics = null, Action<WebPubSubOptions>? options = null, string[]? groups = null)
    {
        var topicsOptions = new TopicsOptions { TimeProvider = Clock };
        topicsOptions.Default.AuthorizePublish = static _ => new ValueTask<bool>(true);
        topics?.Invoke(topicsOptions);
        Hub = new TopicHub(options: topicsOptions);
        var webPubSub = new WebPubSubOptions();
        options?.Invoke(webPubSub);
        Plain = new WebPubSubProtocol(Hub, webPubSub, groups);
        Reliable = new WebPubSubReliableProtocol(Hub, webPubSub, groups);
    }

    public FakeTimeProvider Clock { get; } = new();

    public TopicHub Hub { get; }

    public ITopicProtocol Plain { get; }

    public ITopicProtocol Reliable { get; }

    /// <summary>Connects and reads nothing.</summary>
    public async Task<WebPubSubPeer> OpenAsync(ITopicProtocol protocol, string? user = null, string[]? topics = null, params (string Name, string Value)[] query)
    {
        var identity = user is null ? new ClaimsIdentity() : new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, user)], "test");
        var request = new TopicRequest
        {
            User = new ClaimsPrincipal(identity),
            UserId = user,
            Topics = topics ?? [],
            GetQuery = name => query.FirstOrDefault(pair => pair.Name == name).Value,
            Host = this,
        };
        var peer = new WebPubSubPeer(await protocol.OpenAsync(request, TestContext.Current.CancellationToken));
        _peers.Add(peer);
        return peer;
    }

    /// <summary>Connects, and reads what a client is greeted with.</summary>
    public async Task<WebPubSubPeer> ConnectAsync(ITopicProtocol protocol, string? user = null, string[]? topics = null)
    {
        var peer = await OpenAsync(protocol, user, topics);
        await peer.ReadConnectedAsync();
        return peer;
    }

    /// <summary>Comes back for a connection.</summary>
    public Task<WebPubSubPeer> RecoverAsync(WebPubSubPeer lost, string? user = null) =>
        OpenAsync(Reliable, user, null, ("awps_connection_id", lost.ConnectionId!), ("awps_reconnection_token", lost.Token!));

    public async ValueTask DisposeAsync()
    {
        foreach (var peer in _peers)
            await peer.DisposeAsync();
        await Hub.DisposeAsync();
    }
}

/// <summary>A client of a session, which is served as an endpoint serves it.</summary>
internal sealed class WebPubSubPeer : IAsyncDisposable
{
    private readonly WebSocketConnection _client;
    private readonly WebSocketConnection _server;

    public WebPubSubPeer(ITopicSession session)
    {
        (_client, _server) = WebSocketConnection.CreatePair();
        Served = ServeAsync(session);
    }

    /// <summary>Throws what the session threw: nothing may.</summary>
    public Task Served { get; }

    public string? ConnectionId { get; private set; }

    public string? Token { get; private set; }

    public ValueTask SendAsync(string request) => _client.SendAsync(request, TestContext.Current.CancellationToken);

    public ValueTask SendBinaryAsync(byte[] request) => _client.SendAsync(request, WebSocketMessageType.Binary, TestContext.Current.CancellationToken);

    /// <summary>The next message; <see langword="null"/> at the end.</summary>
    public async Task<string?> TryReadAsync()
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        bound.CancelAfter(Until.Bound);
        var message = await _client.ReceiveAsync(bound.Token);
        return message.Type == WebSocketMessageType.Close ? null : message.GetText();
    }

    public async Task<string> ReadAsync() => await TryReadAsync() ?? throw new InvalidOperationException($"Closed: {_client.CloseResult}");

    public async Task<string> AskAsync(string request)
    {
        await SendAsync(request);
        return await ReadAsync();
    }

    public async Task JoinAsync(params string[] groups)
    {
        foreach (var group in groups)
            (await AskAsync($$"""{"type":"joinGroup","group":"{{group}}","ackId":{{_ackId}}}""")).Should().Be($$"""{"type":"ack","ackId":{{_ackId++}},"success":true}""");
    }

    /// <summary>Sees that all it has sent was handled, and that nothing else has come.</summary>
    public async Task SyncAsync() => (await AskAsync("""{"type":"ping"}""")).Should().Be("""{"type":"pong"}""");

    public async Task ReadConnectedAsync()
    {
        var connected = JsonDocument.Parse(await ReadAsync()).RootElement;
        connected.GetProperty("event").GetString().Should().Be("connected");
        ConnectionId = connected.GetProperty("connectionId").GetString();
        Token = connected.TryGetProperty("reconnectionToken", out var token) ? token.GetString() : null;
    }

    /// <summary>The number and data of the next message of a group.</summary>
    public async Task<(ulong Number, string Data)> ReadNumberedAsync()
    {
        var message = JsonDocument.Parse(await ReadAsync()).RootElement;
        return (message.GetProperty("sequenceId").GetUInt64(), message.GetProperty("data").GetString()!);
    }

    /// <summary>Reads to the end: it must be told why, and closed with a status.</summary>
    public async Task<string> ReadDisconnectedAsync(WebSocketCloseStatus status)
    {
        var last = "";
        while (await TryReadAsync() is { } message)
            last = message;
        _client.CloseResult!.Value.Status.Should().Be(status);
        var disconnected = JsonDocument.Parse(last).RootElement;
        disconnected.GetProperty("event").GetString().Should().Be("disconnected");
        await Served;
        return disconnected.GetProperty("message").GetString()!;
    }

    /// <summary>Loses the connection, and waits until the server knows.</summary>
    public async Task LoseAsync()
    {
        _client.Abort();
        await Served;
    }

    public async ValueTask DisposeAsync()
    {
        _client.Abort();
        await Served;
        await _client.DisposeAsync();
    }

    private int _ackId = 1_000_000;

    private async Task ServeAsync(ITopicSession session)
    {
        await Task.Yield();
        try
        {
            await session.RunAsync(_server);
        }
        finally
        {
            await session.DisposeAsync();
            await _server.DisposeAsync();
        }
    }
}
