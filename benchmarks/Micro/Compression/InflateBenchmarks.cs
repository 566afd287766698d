using System.Net.WebSockets;
using BenchmarkDotNet.Attributes;
using RealtimeKit.Benchmarks.Micro.Connection;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Benchmarks.Micro.Compression;

/// <summary>One compressed JSON message received by a server, as the framework's client wrote it, unmasking and UTF-8 included.</summary>
[MemoryDiagnoser]
public class InflateBenchmarks
{
    private readonly byte[] _buffer = new byte[64 * 1024];
    private WebSocket _framework = null!;
    private WebSocketConnection _connection = null!;

    [Params(128, 1024, 64 * 1024)]
    public int Size { get; set; }

    [Params(false, true)]
    public bool Takeover { get; set; }

    [GlobalSetup]
    public async Task Setup()
    {
        var deflate = new WebSocketDeflateOptions { ServerContextTakeover = Takeover, ClientContextTakeover = Takeover };
        var wire = new MemoryStream();
        using (var client = WebSocket.CreateFromStream(wire, new WebSocketCreationOptions { IsServer = false, DangerousDeflateOptions = deflate }))
        {
            foreach (var message in JsonMessages.Create(Size))
                await client.SendAsync(message.AsMemory(), WebSocketMessageType.Text, true, CancellationToken.None);
        }

        // With takeover each round refers to itself alone: what is before its first message is never looked at.
        _framework = WebSocket.CreateFromStream(new ReplayStream(wire.ToArray()), new WebSocketCreationOptions { IsServer = true, DangerousDeflateOptions = deflate });
        _connection = WebSocketConnection.Create(new ReplayStream(wire.ToArray()), new WebSocketConnectionOptions
        {
            Compression = new PerMessageDeflateOptions(),
            CompressionParameters = new PerMessageDeflateParameters { ServerContextTakeover = Takeover, ClientContextTakeover = Takeover },
        });
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = JsonMessages.Count)]
    public async Task<long> Framework()
    {
        var total = 0L;
        for (var i = 0; i < JsonMessages.Count;)
        {
            var result = await _framework.ReceiveAsync(_buffer.AsMemory(), CancellationToken.None);
            total += result.Count;
            if (result.EndOfMessage)
                i++;
        }

        return total;
    }

    [Benchmark(OperationsPerInvoke = JsonMessages.Count)]
    public async Task<long> Connection()
    {
        var total = 0L;
        for (var i = 0; i < JsonMessages.Count; i++)
            total += (await _connection.ReceiveAsync()).Payload.Length;
        return total;
    }
}
