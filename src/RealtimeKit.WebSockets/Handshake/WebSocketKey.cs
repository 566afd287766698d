using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace RealtimeKit.WebSockets;

/// <summary>
/// The nonce of the opening handshake and the answer that proves the server read it:
/// <c>Sec-WebSocket-Key</c> and <c>Sec-WebSocket-Accept</c> (RFC 6455 §4.1, §4.2.2). HTTP/1.1 only; HTTP/2 has neither.
/// </summary>
/// <remarks>All members are thread-safe, and only those that return a string allocate.</remarks>
public static class WebSocketKey
{
    /// <summary>The length of a key on the wire, in characters: base64 of 16 bytes.</summary>
    public const int Length = 24;

    /// <summary>The length of an accept value on the wire, in characters: base64 of a SHA-1 hash of 20 bytes.</summary>
    public const int AcceptLength = 28;

    private const int NonceLength = 16;

    // 22 characters carry the 16 bytes; two "=" fill the last group.
    private const int DigitCount = Length - 2;

    private static readonly SearchValues<char> Base64Chars =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");

    private static readonly SearchValues<byte> Base64Bytes =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"u8);

    private static ReadOnlySpan<byte> Guid => "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"u8;

    /// <summary>Makes a new key from 16 bytes of a cryptographic generator (RFC 6455 §4.1 item 7).</summary>
    /// <returns>The value of <c>Sec-WebSocket-Key</c>, <see cref="Length"/> characters.</returns>
    public static string Create()
    {
        Span<byte> nonce = stackalloc byte[NonceLength];
        RandomNumberGenerator.Fill(nonce);
        return Convert.ToBase64String(nonce);
    }

    /// <summary>Whether a value is base64 of exactly 16 bytes (RFC 6455 §4.2.1 item 5).</summary>
    /// <param name="key">The header value without surrounding white space.</param>
    /// <returns><see langword="true"/> if it is. Unused bits of the last digit may be set (RFC 4648 §3.5 leaves that open).</returns>
    public static bool IsValid(ReadOnlySpan<char> key) =>
        key.Length == Length && key[DigitCount..] is "==" && !key[..DigitCount].ContainsAnyExcept(Base64Chars);

    /// <summary>Whether a value is base64 of exactly 16 bytes (RFC 6455 §4.2.1 item 5).</summary>
    /// <param name="key">The header value in ASCII, without surrounding white space.</param>
    /// <returns><see langword="true"/> if it is.</returns>
    public static bool IsValid(ReadOnlySpan<byte> key) =>
        key.Length == Length && key[DigitCount..].SequenceEqual("=="u8) && !key[..DigitCount].ContainsAnyExcept(Base64Bytes);

    /// <summary>Computes the accept value of a key (RFC 6455 §4.2.2 item 5.4).</summary>
    /// <param name="key">The client's key.</param>
    /// <returns>The value of <c>Sec-WebSocket-Accept</c>, <see cref="AcceptLength"/> characters.</returns>
    /// <exception cref="ArgumentException"><paramref name="key"/> is not valid; see <see cref="IsValid(ReadOnlySpan{char})"/>.</exception>
    public static string ComputeAccept(ReadOnlySpan<char> key)
    {
        Span<char> accept = stackalloc char[AcceptLength];
        if (!TryComputeAccept(key, accept, out _))
            throw new ArgumentException("A WebSocket key is base64 of exactly 16 bytes.", nameof(key));
        return new string(accept);
    }

    /// <summary>Computes the accept value of a key without allocating (RFC 6455 §4.2.2 item 5.4).</summary>
    /// <param name="key">The client's key.</param>
    /// <param name="destination">Receives the accept value; at least <see cref="AcceptLength"/> characters.</param>
    /// <param name="charsWritten">The characters written: <see cref="AcceptLength"/>, or 0 on failure.</param>
    /// <returns><see langword="false"/> if the key is not valid or the destination is too short.</returns>
    public static bool TryComputeAccept(ReadOnlySpan<char> key, Span<char> destination, out int charsWritten)
    {
        charsWritten = 0;
        if (!IsValid(key) || destination.Length < AcceptLength)
            return false;

        Span<byte> input = stackalloc byte[Length];
        Encoding.ASCII.GetBytes(key, input);
        Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];
        Hash(input, hash);
        return Convert.TryToBase64Chars(hash, destination, out charsWritten);
    }

    /// <summary>Computes the accept value of a key without allocating (RFC 6455 §4.2.2 item 5.4).</summary>
    /// <param name="key">The client's key in ASCII.</param>
    /// <param name="destination">Receives the accept value in ASCII; at least <see cref="AcceptLength"/> bytes.</param>
    /// <param name="bytesWritten">The bytes written: <see cref="AcceptLength"/>, or 0 on failure.</param>
    /// <returns><see langword="false"/> if the key is not valid or the destination is too short.</returns>
    public static bool TryComputeAccept(ReadOnlySpan<byte> key, Span<byte> destination, out int bytesWritten)
    {
        bytesWritten = 0;
        if (!IsValid(key) || destination.Length < AcceptLength)
            return false;

        Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];
        Hash(key, hash);
        return Base64.EncodeToUtf8(hash, destination, out _, out bytesWritten) == OperationStatus.Done;
    }

    /// <summary>Whether a server's accept value answers a key (RFC 6455 §4.1, the client's fourth check).</summary>
    /// <param name="accept">The server's accept value without surrounding white space.</param>
    /// <param name="key">The key that the client sent.</param>
    /// <returns><see langword="true"/> if it does.</returns>
    public static bool IsAcceptOf(ReadOnlySpan<char> accept, ReadOnlySpan<char> key)
    {
        Span<char> expected = stackalloc char[AcceptLength];
        return TryComputeAccept(key, expected, out _) && accept.SequenceEqual(expected);
    }

    private static void Hash(ReadOnlySpan<byte> key, Span<byte> hash)
    {
        Span<byte> input = stackalloc byte[Length + 36];
        key.CopyTo(input);
        Guid.CopyTo(input[Length..]);

        // SHA-1 is what RFC 6455 §1.3 names. It proves that the peer speaks WebSocket, and protects nothing.
#pragma warning disable CA5350
        SHA1.HashData(input, hash);
#pragma warning restore CA5350
    }
}
