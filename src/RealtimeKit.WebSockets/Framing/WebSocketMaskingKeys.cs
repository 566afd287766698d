using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace RealtimeKit.WebSockets;

/// <summary>
/// Masking keys for the frames of a client. RFC 6455 §10.3: each is "derived from a strong source of entropy", so that no server or
/// script can foresee the next.
/// </summary>
/// <remarks>A call of the generator costs over a microsecond however little it fills, so each thread draws its keys in batches.</remarks>
internal sealed class WebSocketMaskingKeys
{
    private const int BatchSize = 1024;

    [ThreadStatic]
    private static WebSocketMaskingKeys? _current;

    private readonly uint[] _keys = new uint[BatchSize];
    private int _next = BatchSize;

    /// <summary>Gets a new key, as <see cref="WebSocketFrameHeader.MaskingKey"/>.</summary>
    /// <returns>A key that has not been given before.</returns>
    public static uint Next() => (_current ??= new WebSocketMaskingKeys()).Take();

    private uint Take()
    {
        var keys = _keys;
        var next = _next;
        if ((uint)next >= (uint)keys.Length)
        {
            RandomNumberGenerator.Fill(MemoryMarshal.AsBytes(keys.AsSpan()));
            next = 0;
        }

        _next = next + 1;
        return keys[next];
    }
}
