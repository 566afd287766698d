using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace RealtimeKit.AspNetCore;

/// <summary>By what a connection is counted; <see langword="null"/> for what does not count.</summary>
/// <param name="UserId">Its user.</param>
/// <param name="Address">Its address.</param>
/// <param name="Http2Connection">The HTTP/2 connection of a WebSocket.</param>
internal readonly record struct ConnectionKeys(string? UserId, UInt128? Address, string? Http2Connection);

/// <summary>Counts a host's open connections, in all by what they are limited. An entry leaves with the last connection of it.</summary>
internal sealed class ConnectionCaps(RealtimeOptions options)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _users = new(StringComparer.Ordinal);
    private readonly Dictionary<UInt128, int> _addresses = [];
    private readonly Dictionary<string, int> _http2 = new(StringComparer.Ordinal);
    private int _total;

    /// <summary>How many connections are counted.</summary>
    public int Total
    {
        get
        {
            lock (_lock)
                return _total;
        }
    }

    /// <summary>Whether nothing is left of any connection.</summary>
    public bool IsEmpty
    {
        get
        {
            lock (_lock)
                return _total == 0 && _users.Count == 0 && _addresses.Count == 0 && _http2.Count == 0;
        }
    }

    /// <summary>Counts a connection, in all or in none.</summary>
    /// <returns>Which limit is reached; <see langword="null"/> where none is, and the connection counts.</returns>
    public string? TryEnter(in ConnectionKeys keys)
    {
        lock (_lock)
        {
            if (_total >= options.MaxConnections)
                return nameof(RealtimeOptions.MaxConnections);
            if (IsFull(_users, keys.UserId, options.MaxConnectionsPerUser))
                return nameof(RealtimeOptions.MaxConnectionsPerUser);
            if (keys.Address is { } address && _addresses.GetValueOrDefault(address) >= options.MaxConnectionsPerAddress)
                return nameof(RealtimeOptions.MaxConnectionsPerAddress);
            if (IsFull(_http2, keys.Http2Connection, options.MaxWebSocketsPerHttp2Connection))
                return nameof(RealtimeOptions.MaxWebSocketsPerHttp2Connection);

            _total++;
            if (keys.UserId is not null)
                CollectionsMarshal.GetValueRefOrAddDefault(_users, keys.UserId, out _)++;
            if (keys.Address is not null)
                CollectionsMarshal.GetValueRefOrAddDefault(_addresses, keys.Address.Value, out _)++;
            if (keys.Http2Connection is not null)
                CollectionsMarshal.GetValueRefOrAddDefault(_http2, keys.Http2Connection, out _)++;
            return null;
        }
    }

    public void Leave(in ConnectionKeys keys)
    {
        lock (_lock)
        {
            _total--;
            if (keys.UserId is not null)
                Release(_users, keys.UserId);
            if (keys.Address is not null)
                Release(_addresses, keys.Address.Value);
            if (keys.Http2Connection is not null)
                Release(_http2, keys.Http2Connection);
        }
    }

    /// <summary>What an address is counted by: whoever has one IPv6 address has the 2⁶⁴ beside it, too (RFC 6177).</summary>
    public static UInt128? KeyOf(IPAddress? address)
    {
        if (address is null)
            return null;
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var length);
        return address.AddressFamily == AddressFamily.InterNetwork
            ? new UInt128(0, 0xFFFF_0000_0000UL | BinaryPrimitives.ReadUInt32BigEndian(bytes[..length]))
            : new UInt128(BinaryPrimitives.ReadUInt64BigEndian(bytes), 0);
    }

    private static bool IsFull(Dictionary<string, int> counts, string? key, int? limit) => key is not null && counts.GetValueOrDefault(key) >= limit;

    private static void Release<TKey>(Dictionary<TKey, int> counts, TKey key)
        where TKey : notnull
    {
        ref var count = ref CollectionsMarshal.GetValueRefOrNullRef(counts, key);
        if (--count == 0)
            counts.Remove(key);
    }
}
