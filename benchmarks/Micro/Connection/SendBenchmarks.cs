using System.Net.WebSockets;
using BenchmarkDotNet.Attributes;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Benchmarks.Micro.Connection;

/// <summary>One whole message sent by a server or a client (masked), to a wire that always takes it.</summary>
[MemoryDiagnoser]
public class SendBenchmarks
{
    private const int Messages = 64;

    private readonly ReplayStream _frameworkWire = new([]);
    private readonly ReplayStream _wire = new([]);
    private byte[] _payload = [];
    private WebSocketMessageType _type;
    private WebSocket _framework = null!;
    private WebSocketConnection _connection = null!;

    [Params(16, 125, 1024, 64 * 1024, 1024 * 1024)]
    public int Size { get; set; }

    [Params(WebSocketRole.Server, WebSocketRole.Client)]
    public WebSocketRole Role { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _payload = Payloads.Create(Content.Binary, Size);
        _type = WebSocketMessageType.Binary;
        _framework = WebSocket.CreateFromStream(_frameworkWire, new WebSocketCreationOptions { IsServer = Role == WebSocketRole.Server });
        _connection = WebSocketConnection.Create(_wire, new WebSocketConnectionOptions { Role = Role });
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Messages)]
    public async Task<long> Framework()
    {
        for (var i = 0; i < Messages; i++)
            await _framework.SendAsync(_payload.AsMemory(), _type, true, CancellationToken.None);
        return _frameworkWire.Written;
    }

    [Benchmark(OperationsPerInvoke = Messages)]
    public async Task<long> Connection()
    {
        for (var i = 0; i < Messages; i++)
            await _connection.SendAsync(_payload, _type);
        return _wire.Written;
    }
}
