using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;

namespace RealtimeKit.Tests;

internal sealed record RawFrame(bool IsFinal, int Opcode, byte[] Payload)
{
    public string Text => Encoding.UTF8.GetString(Payload);

    public WebSocketCloseStatus? CloseStatus => Opcode == 8 && Payload.Length >= 2 ? (WebSocketCloseStatus)BinaryPrimitives.ReadUInt16BigEndian(Payload) : null;
}

/// <summary>
/// A client of RFC 6455 that shares no code with the library, checks nothing, and sends whatever it is told: hostile input too.
/// </summary>
internal sealed class RawWebSocket : IAsyncDisposable
{
    private readonly Socket? _socket;
    private readonly Stream _stream;

    private RawWebSocket(Socket? socket, Stream stream)
    {
        _socket = socket;
        _stream = stream;
    }

    /// <summary>The socket, where it has one of its own.</summary>
    public Socket Socket => _socket!;

    public Stream Stream => _stream;

    /// <summary>The response's head, lower case.</summary>
    public string Head { get; private set; } = "";

    public int StatusCode => int.Parse(Head.Split(' ')[1], CultureInfo.InvariantCulture);

    public static async Task<RawWebSocket> ConnectAsync(int port, bool isTls, string path = "/ws", params string[] headers)
    {
        var raw = await OpenAsync(port, isTls);
        var head = new StringBuilder($"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
            .Append("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n");
        foreach (var header in headers)
            head.Append(header).Append("\r\n");
        await raw.SendHeadAsync(head.ToString());
        return raw;
    }

    /// <summary>Speaks over a connection whose handshake is done.</summary>
    public static RawWebSocket Over(Stream stream) => new(null, stream);

    public static async Task<RawWebSocket> OpenAsync(int port, bool isTls)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, port, Until.Cancelled);
        Stream stream = new NetworkStream(socket, ownsSocket: true);
        if (isTls)
        {
            var tls = new SslStream(stream, leaveInnerStreamOpen: false, TestCertificate.IsOurs);
            await tls.AuthenticateAsClientAsync("localhost");
            stream = tls;
        }

        return new RawWebSocket(socket, stream);
    }

    /// <summary>Sends a request's head, without its empty line, and reads the response's.</summary>
    public async Task SendHeadAsync(string head)
    {
        await _stream.WriteAsync(Encoding.ASCII.GetBytes(head + "\r\n"), Until.Cancelled);
        var response = new StringBuilder();
        var one = new byte[1];
        while (!response.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await _stream.ReadAsync(one, Until.Cancelled) == 0)
                break;
            response.Append((char)one[0]);
        }

        Head = response.ToString().ToLowerInvariant();
    }

    /// <summary>The bytes of a frame, masked unless told otherwise.</summary>
    public static byte[] Frame(int opcode, ReadOnlySpan<byte> payload, bool isFinal = true, bool isMasked = true, int reserved = 0)
    {
        var frame = new List<byte> { (byte)((isFinal ? 0x80 : 0) | (reserved << 4) | opcode) };
        var mask = isMasked ? 0x80 : 0;
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(length, payload.Length);
        switch (payload.Length)
        {
            case <= 125:
                frame.Add((byte)(mask | payload.Length));
                break;
            case <= ushort.MaxValue:
                frame.Add((byte)(mask | 126));
                frame.AddRange(length[6..]);
                break;
            default:
                frame.Add((byte)(mask | 127));
                frame.AddRange(length);
                break;
        }

        ReadOnlySpan<byte> key = [0x37, 0xFA, 0x21, 0x3D];
        if (isMasked)
            frame.AddRange(key);
        for (var i = 0; i < payload.Length; i++)
            frame.Add((byte)(payload[i] ^ (isMasked ? key[i % 4] : 0)));
        return [.. frame];
    }

    public static byte[] Text(string text) => Frame(1, Encoding.UTF8.GetBytes(text));

    public static byte[] Close(int status) => Frame(8, [(byte)(status >> 8), (byte)status]);

    public async Task SendAsync(params byte[][] frames)
    {
        await _stream.WriteAsync(frames.SelectMany(frame => frame).ToArray(), Until.Cancelled);
        await _stream.FlushAsync(Until.Cancelled);   // HTTP/2 collects
    }

    /// <summary>The next frame; null at the end of the stream.</summary>
    /// <exception cref="IOException">The connection was reset.</exception>
    public async Task<RawFrame?> ReceiveAsync()
    {
        var head = new byte[2];
        var first = await _stream.ReadAsync(head.AsMemory(0, 1), Until.Cancelled);
        if (first == 0)
            return null;
        await ReadExactlyAsync(head.AsMemory(1));
        (head[1] & 0x80).Should().Be(0, "a server masks nothing (RFC 6455 §5.1)");
        long length = head[1] & 0x7F;
        if (length >= 126)
        {
            var extended = new byte[length == 126 ? 2 : 8];
            await ReadExactlyAsync(extended);
            length = extended.Aggregate(0L, (value, next) => (value << 8) | next);
        }

        var payload = new byte[length];
        await ReadExactlyAsync(payload);
        return new RawFrame((head[0] & 0x80) != 0, head[0] & 0x0F, payload);
    }

    /// <summary>Reads to the end of the stream.</summary>
    public async Task<List<RawFrame>> ReceiveAllAsync()
    {
        var frames = new List<RawFrame>();
        while (await ReceiveAsync() is { } frame)
            frames.Add(frame);
        return frames;
    }

    /// <summary>Ends the connection with a reset.</summary>
    public void Reset()
    {
        Socket.LingerState = new LingerOption(true, 0);
        Socket.Close();
    }

    public async ValueTask DisposeAsync() => await _stream.DisposeAsync();

    private async Task ReadExactlyAsync(Memory<byte> destination) => await _stream.ReadExactlyAsync(destination, Until.Cancelled);
}
