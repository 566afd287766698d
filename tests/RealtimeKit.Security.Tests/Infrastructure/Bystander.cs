namespace RealtimeKit.Security.Tests;

/// <summary>Somebody else on the host that is attacked: connected before it begins, and served as if nothing happened.</summary>
internal sealed class Bystander : IAsyncDisposable
{
    private readonly TestServerHost _server;
    private readonly string _path;
    private readonly ClientWebSocket _socket;
    private int _count;

    private Bystander(TestServerHost server, string path, ClientWebSocket socket)
    {
        _server = server;
        _path = path;
        _socket = socket;
    }

    /// <summary>Connects to an endpoint that echoes.</summary>
    public static async Task<Bystander> JoinAsync(TestServerHost server, string path = "/echo") =>
        new(server, path, await server.ConnectAsync(path));

    /// <summary>Its connection works, and so does one more.</summary>
    public async Task IsServedAsync()
    {
        await EchoAsync(_socket);
        using var another = await _server.ConnectAsync(_path);
        await EchoAsync(another);
    }

    /// <summary>Its connection works.</summary>
    public Task IsConnectedAsync() => EchoAsync(_socket);

    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        return default;
    }

    private async Task EchoAsync(ClientWebSocket socket)
    {
        var text = $"bystander {++_count}";
        await socket.SendTextAsync(text);
        (await socket.ReceiveTextAsync()).Should().Be(text, "an attack is nobody else's business");
    }
}
