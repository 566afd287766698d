using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using System.Text;
using RealtimeKit.Tests;

namespace RealtimeKit.Soak.Tests;

/// <summary>Handlers that block the pool's threads, in a process of their own. What the runtime's pool needs to make up for them is waited for.</summary>
public sealed class BlockedThreadsTests : IAsyncLifetime
{
    private const int Blocked = 12;   // six for each core of the smallest machine that the tests run on
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    private readonly List<Socket> _sockets = [];
    private readonly int _port = LoopbackPorts.Next();
    private Process _server = null!;

    public async ValueTask InitializeAsync()
    {
        var soak = typeof(SoakTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(pair => pair.Key == "Soak").Value!;
        var start = new ProcessStartInfo("dotnet", [soak, "server", _port.ToString(CultureInfo.InvariantCulture), "-", "block"]) { RedirectStandardOutput = true, RedirectStandardInput = true };
        _server = Process.Start(start)!;
        using var bound = new CancellationTokenSource(Bound);
        (await _server.StandardOutput.ReadLineAsync(bound.Token)).Should().Be("READY");
    }

    [Fact]
    public async Task HandlersBlockTheirThreads_PingsAndClosesAreAnswered_AndTheServerEnds()
    {
        var healthy = await ConnectAsync("/ws");
        var blocked = new List<Socket>();
        for (var i = 0; i < Blocked; i++)
            blocked.Add(await ConnectAsync("/block"));
        await Task.WhenAll(blocked.Select(socket => SendAsync(socket, [0x81, 0x80, 0, 0, 0, 0])));

        var clock = Stopwatch.StartNew();
        await SendAsync(healthy, [0x89, 0x80, 0, 0, 0, 0]);
        (await ReadAsync(healthy, 2)).Should().Equal(0x8A, 0x00);
        var pong = clock.Elapsed;
        // Those too whose own handlers block: the connection goes on without them.
        await Task.WhenAll(blocked.Select(async socket =>
        {
            await SendAsync(socket, [0x89, 0x80, 0, 0, 0, 0]);
            (await ReadAsync(socket, 2)).Should().Equal(0x8A, 0x00);
        }));
        var pongs = clock.Elapsed;
        await SendAsync(healthy, [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8]);
        (await ReadAsync(healthy, 4)).Should().Equal(0x88, 0x02, 0x03, 0xE8);
        var close = clock.Elapsed;

        using var kill = Process.Start("/bin/sh", ["-c", string.Create(CultureInfo.InvariantCulture, $"kill -TERM {_server.Id}")]);
        using var bound = new CancellationTokenSource(Bound);
        await _server.WaitForExitAsync(bound.Token);
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"with {Blocked} blocked handlers: first pong {pong.TotalSeconds:0.0} s, all {pongs.TotalSeconds:0.0} s, close {close.TotalSeconds:0.0} s, ended {(clock.Elapsed - close).TotalSeconds:0.0} s after SIGTERM");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var socket in _sockets)
            socket.Dispose();
        if (!_server.HasExited)
            _server.Kill();
        await _server.WaitForExitAsync();
        _server.Dispose();
    }

    private static async Task SendAsync(Socket socket, byte[] bytes) => await socket.SendAsync(bytes, SocketFlags.None);

    private static async Task<byte[]> ReadAsync(Socket socket, int count)
    {
        using var bound = new CancellationTokenSource(Bound);
        var bytes = new byte[count];
        for (var read = 0; read < count;)
            read += await socket.ReceiveAsync(bytes.AsMemory(read), SocketFlags.None, bound.Token) is > 0 and var more ? more : throw new IOException("The server has ended it.");
        return bytes;
    }

    private async Task<Socket> ConnectAsync(string path)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _sockets.Add(socket);
        await socket.ConnectAsync(IPAddress.Loopback, _port);
        await SendAsync(socket, Encoding.ASCII.GetBytes(
            $"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{_port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"));
        var head = new StringBuilder();
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
            head.Append((char)(await ReadAsync(socket, 1))[0]);
        head.ToString().Should().StartWith("HTTP/1.1 101");
        return socket;
    }
}
