using System.Net.WebSockets;
using BenchmarkDotNet.Attributes;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Benchmarks.Micro.Connection;

/// <summary>One whole message received by a server (masked) or a client, from a wire that always has data.</summary>
[MemoryDiagnoser]
public class ReceiveBenchmarks
{
    private const int Messages = 64;

    private byte[] _buffer = [];
    private WebSocket _framework = null!;
    private WebSocketConnection _stream = null!;
    private WebSocketConnection _pipe = null!;

    [Params(16, 125, 1024, 64 * 1024, 1024 * 1024)]
    public int Size { get; set; }

    [Params(Content.Binary, Content.Ascii, Content.NonAscii)]
    public Content Content { get; set; }

    [Params(WebSocketRole.Server, WebSocketRole.Client)]
    public WebSocketRole Role { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var frames = Payloads.Frames(Content, Size, masked: Role == WebSocketRole.Server);
        _buffer = new byte[Size + 1];
        _framework = WebSocket.CreateFromStream(new ReplayStream(frames), new WebSocketCreationOptions { IsServer = Role == WebSocketRole.Server });
        var options = new WebSocketConnectionOptions { Role = Role, MaxMessageSize = 2 << 20 };
        _stream = WebSocketConnection.Create(new ReplayStream(frames), options);
        _pipe = WebSocketConnection.Create(new ReplayPipe(frames), options);
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Messages)]
    public async Task<long> Framework()
    {
        var total = 0L;
        for (var i = 0; i < Messages; i++)
        {
            var received = 0;
            ValueWebSocketReceiveResult result;
            do
            {
                result = await _framework.ReceiveAsync(_buffer.AsMemory(received), CancellationToken.None);
                received += result.Count;
            }
            while (!result.EndOfMessage);
            total += received;
        }

        return Expect(total);
    }

    [Benchmark(OperationsPerInvoke = Messages)]
    public Task<long> OverStream() => Receive(_stream);

    [Benchmark(OperationsPerInvoke = Messages)]
    public Task<long> OverPipe() => Receive(_pipe);

    private async Task<long> Receive(WebSocketConnection connection)
    {
        var total = 0L;
        for (var i = 0; i < Messages; i++)
        {
            var message = await connection.ReceiveAsync();
            total += message.Payload.Length;
        }

        return Expect(total);
    }

    private long Expect(long total) =>
        total == (long)Messages * Size ? total : throw new InvalidOperationException($"{total} bytes instead of {Messages} × {Size}.");
}
