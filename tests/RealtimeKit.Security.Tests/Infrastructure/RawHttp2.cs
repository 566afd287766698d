using System.Buffers.Binary;

namespace RealtimeKit.Security.Tests;

/// <summary>HTTP/2 (RFC 9113) with prior knowledge, for peers that keep to no limit. Header blocks are literals without an index (RFC 7541 §6.2.2).</summary>
internal sealed class RawHttp2(RawWebSocket connection) : IAsyncDisposable
{
    private readonly List<byte> _out = [];

    /// <summary>Whether a header block ends with its first frame.</summary>
    public bool EndHeaders { get; set; } = true;

    public static async Task<RawHttp2> OpenAsync(int port, byte[]? settings = null)
    {
        var http = new RawHttp2(await RawWebSocket.OpenAsync(port, isTls: false));
        http._out.AddRange("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8);
        http.Frame(4, 0, 0, settings ?? []);   // SETTINGS
        await http.FlushAsync();
        return http;
    }

    /// <summary>Begins an extended CONNECT (RFC 8441 §4).</summary>
    public void Connect(int stream, string path = "/ws", string protocol = "websocket", params (string Name, string Value)[] more)
    {
        var block = new List<byte>();
        foreach (var (name, value) in ((string, string)[])[(":method", "CONNECT"), (":protocol", protocol), (":scheme", "http"), (":path", path), (":authority", "a"), ("sec-websocket-version", "13"), .. more])
        {
            block.Add(0);
            Text(name);
            Text(value);
        }

        Frame(1, EndHeaders ? 4 : 0, stream, [.. block]);

        void Text(string text)
        {
            block.Add((byte)text.Length);
            block.AddRange(Encoding.ASCII.GetBytes(text));
        }
    }

    /// <summary>RST_STREAM, CANCEL.</summary>
    public void Reset(int stream) => Frame(3, 0, stream, [0, 0, 0, 8]);

    public void Frame(int type, int flags, int stream, byte[] payload)
    {
        _out.AddRange([(byte)(payload.Length >> 16), (byte)(payload.Length >> 8), (byte)payload.Length, (byte)type, (byte)flags]);
        var id = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(id, stream);
        _out.AddRange(id);
        _out.AddRange(payload);
    }

    public async Task FlushAsync()
    {
        await connection.Stream.WriteAsync(_out.ToArray(), Until.Cancelled);
        _out.Clear();
    }

    /// <summary>The next frame; null at the end.</summary>
    public async Task<(int Type, int Flags, int Stream, byte[] Payload)?> ReceiveAsync()
    {
        try
        {
            var head = new byte[9];
            await connection.Stream.ReadExactlyAsync(head, Until.Cancelled);
            var payload = new byte[(head[0] << 16) | (head[1] << 8) | head[2]];
            await connection.Stream.ReadExactlyAsync(payload, Until.Cancelled);
            return (head[3], head[4], BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(5)), payload);
        }
        catch (IOException)
        {
            return null;
        }
    }

    public ValueTask DisposeAsync() => connection.DisposeAsync();
}
