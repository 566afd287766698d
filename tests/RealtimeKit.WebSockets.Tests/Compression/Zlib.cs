using System.IO.Compression;

namespace RealtimeKit.WebSockets.Tests.Compression;

/// <summary>The framework's DEFLATE, which is zlib's, as the oracle.</summary>
internal static class Zlib
{
    /// <summary>A message as RFC 7692 §7.2.1 has it: flushed, and 00 00 FF FF removed.</summary>
    public static byte[] Compress(byte[] message, CompressionLevel level = CompressionLevel.Optimal)
    {
        using var compressor = new Compressor(level);
        return compressor.Next(message);
    }

    /// <summary>What a payload inflates to.</summary>
    public static byte[] Inflate(ReadOnlySpan<byte> payload) => InflateAll(payload.ToArray());

    /// <summary>What several payloads inflate to, under context takeover.</summary>
    public static byte[] InflateAll(params byte[][] payloads)
    {
        using var source = new MemoryStream([.. payloads.SelectMany(payload => (byte[])[.. payload, 0, 0, 0xFF, 0xFF])]);
        using var inflater = new DeflateStream(source, CompressionMode.Decompress);
        using var result = new MemoryStream();
        inflater.CopyTo(result);
        return result.ToArray();
    }

    /// <summary>Compresses messages with context takeover.</summary>
    public sealed class Compressor : IDisposable
    {
        private readonly MemoryStream _output = new();
        private readonly DeflateStream _deflate;

        public Compressor(CompressionLevel level = CompressionLevel.Optimal) => _deflate = new DeflateStream(_output, level, leaveOpen: true);

        public byte[] Next(byte[] message)
        {
            _output.SetLength(0);
            _deflate.Write(message);
            _deflate.Flush();
            return _output.Length == 0 ? [0] : _output.ToArray()[..^4];
        }

        public void Dispose() => _deflate.Dispose();
    }
}
