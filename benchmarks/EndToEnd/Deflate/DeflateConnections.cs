using System.IO.Compression;
using System.Net.Sockets;
using System.Text;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>
/// Connections that agreed on permessage-deflate, each of which sends 1 KiB of JSON as a compressed message and wants it back
/// compressed: a server that saves memory by sending everything as it is would look thrifty.
/// </summary>
internal sealed class DeflateConnections : IIdleConnections
{
    private const int MessageSize = 1024;

    private readonly List<Socket> _sockets = [];
    private readonly byte[] _message = CreateMessage();
    private readonly byte[] _frame;
    private readonly byte[] _buffer = new byte[4096];
    private bool _hasAnswered;

    public DeflateConnections(int count, int port, string offer)
    {
        _frame = CreateFrame(_message);
        for (var i = 0; i < count; i++)
            _sockets.Add(LoadConnection.Handshake(port, offer));
    }

    public void AnswerOnce()
    {
        foreach (var socket in _sockets)
        {
            socket.Send(_frame);
            var answer = Receive(socket);
            // Under context takeover only the first answer can be read without those before it.
            if (!_hasAnswered && !Inflate(answer).AsSpan().SequenceEqual(_message))
                throw new BenchmarkException("The echo differs");
        }

        _hasAnswered = true;
    }

    public void Dispose()
    {
        foreach (var socket in _sockets)
            LoadConnection.Reset(socket);
    }

    // RFC 7692 §6.1: RSV1 says that a message is compressed.
    private byte[] Receive(Socket socket)
    {
        for (var length = 0; ;)
        {
            var read = socket.Receive(_buffer.AsSpan(length));
            if (read == 0)
                throw new BenchmarkException("The server closed a connection");
            length += read;
            if (length < 4)
                continue;
            if (_buffer[0] != 0xC1)
                throw new BenchmarkException($"The answer is no compressed text message: {_buffer[0]:X2}");
            var (start, size) = _buffer[1] < 126 ? (2, _buffer[1]) : (4, (_buffer[2] << 8) | _buffer[3]);
            if (length == start + size)
                return _buffer[start..length];
        }
    }

    private static byte[] CreateMessage()
    {
        var random = new Random(1);
        var json = new StringBuilder("[");
        while (json.Length < MessageSize)
            json.Append(System.Globalization.CultureInfo.InvariantCulture, $"{{\"id\":{random.Next(1_000_000)},\"state\":\"active\",\"price\":{random.Next(100_000)}}},");
        return Encoding.ASCII.GetBytes(json.ToString(0, MessageSize));
    }

    // RFC 1951 §3.2.4: one stored block, which looks back into no window at all, so it is right under every agreement; behind it the
    // first byte of the empty one whose rest is left out (RFC 7692 §7.2.1).
    private static byte[] CreateFrame(byte[] message)
    {
        var size = message.Length;
        byte[] payload = [0, (byte)size, (byte)(size >> 8), (byte)~size, (byte)(~size >> 8), .. message, 0];
        return [0xC1, 0xFE, (byte)(payload.Length >> 8), (byte)payload.Length, 0, 0, 0, 0, .. payload];
    }

    private static byte[] Inflate(byte[] payload)
    {
        using var input = new MemoryStream([.. payload, 0, 0, 0xFF, 0xFF]);
        using var inflate = new DeflateStream(input, CompressionMode.Decompress);
        using var output = new MemoryStream();
        inflate.CopyTo(output);
        return output.ToArray();
    }
}
