using System.Net.WebSockets;
using BenchmarkDotNet.Attributes;
using RealtimeKit.Benchmarks.Micro.Connection;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Benchmarks.Micro.Compression;

/// <summary>One JSON message compressed and sent by a server, to a wire that always takes it.</summary>
[MemoryDiagnoser]
public class CompressBenchmarks
{
    private readonly ReplayStream _frameworkWire = new([]);
    private readonly ReplayStream _wire = new([]);
    private byte[][] _messages = [];
    private WebSocket _framework = null!;
    private WebSocketConnection _connection = null!;

    [Params(128, 1024, 64 * 1024)]
    public int Size { get; set; }

    [Params(false, true)]
    public bool Takeover { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _messages = JsonMessages.Create(Size);
        _framework = WebSocket.CreateFromStream(_frameworkWire, new WebSocketCreationOptions
        {
            IsServer = true,
            DangerousDeflateOptions = new WebSocketDeflateOptions { ServerContextTakeover = Takeover, ClientContextTakeover = Takeover },
        });
        _connection = WebSocketConnection.Create(_wire, new WebSocketConnectionOptions
        {
            Compression = new PerMessageDeflateOptions { MinimumSize = 0 },
            CompressionParameters = new PerMessageDeflateParameters { ServerContextTakeover = Takeover, ClientContextTakeover = Takeover },
        });
    }

    /// <summary>What came out of the same messages: the comparison is only fair where the sizes are alike.</summary>
    [GlobalCleanup]
    public void CompareSizes()
    {
        var before = (_frameworkWire.Written, _wire.Written);
        Framework().GetAwaiter().GetResult();
        Connection().GetAwaiter().GetResult();
        Console.WriteLine($"// bytes on the wire for {JsonMessages.Count} messages of {Size}: framework {_frameworkWire.Written - before.Item1}, connection {_wire.Written - before.Item2}");
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = JsonMessages.Count)]
    public async Task<long> Framework()
    {
        foreach (var message in _messages)
            await _framework.SendAsync(message.AsMemory(), WebSocketMessageType.Text, true, CancellationToken.None);
        return _frameworkWire.Written;
    }

    [Benchmark(OperationsPerInvoke = JsonMessages.Count)]
    public async Task<long> Connection()
    {
        foreach (var message in _messages)
            await _connection.SendAsync(message, WebSocketMessageType.Text);
        return _wire.Written;
    }
}
