using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Samples.Showcase;

/// <summary>A field of 1000 × 600 with players, and a coin for whoever gets there first.</summary>
internal sealed class World
{
    public const int Width = 1000;
    public const int Height = 600;
    private const int MaxPlayers = 32;
    private const float Radius = 16;
    private const int HeaderSize = 10;
    private const int PlayerSize = 12;

    private readonly Lock _lock = new();
    private readonly byte[] _frame = new byte[HeaderSize + MaxPlayers * PlayerSize];
    private ImmutableArray<Player> _players = [];
    private (float X, float Y) _coin = (Width / 2, Height / 2);

    public bool IsEmpty => _players.IsEmpty;

    public ImmutableArray<Player> Players => _players;

    public bool TryEnter(WebSocketConnection connection, [NotNullWhen(true)] out Player? player)
    {
        player = null;
        lock (_lock)
        {
            byte id = 0;
            while (_players.Any(other => other.Id == id))
                id++;
            if (id == MaxPlayers)
                return false;
            player = new Player(id, connection) { X = Random.Shared.Next(Width), Y = Random.Shared.Next(Height) };
            _players = _players.Add(player);
            return true;
        }
    }

    public void Leave(Player player)
    {
        lock (_lock)
            _players = _players.Remove(player);
    }

    public void Step(float seconds)
    {
        foreach (var player in _players)
        {
            player.Move(seconds, Radius, Width - Radius, Height - Radius);
            if (float.Hypot(player.X - _coin.X, player.Y - _coin.Y) > 2 * Radius)
                continue;
            player.Score++;
            _coin = (Random.Shared.Next(50, Width - 50), Random.Shared.Next(50, Height - 50));
        }
    }

    /// <summary>
    /// The frame for everybody, little-endian: step u32, coin x and y u16, reserved u8, count u8; then for each player id u8, keys u8,
    /// x and y u16, score u16, and the number of the last input that is in it, u32.
    /// </summary>
    public ReadOnlySpan<byte> Write(uint step)
    {
        var players = _players;
        var frame = _frame.AsSpan(0, HeaderSize + players.Length * PlayerSize);
        BinaryPrimitives.WriteUInt32LittleEndian(frame, step);
        BinaryPrimitives.WriteUInt16LittleEndian(frame[4..], (ushort)_coin.X);
        BinaryPrimitives.WriteUInt16LittleEndian(frame[6..], (ushort)_coin.Y);
        frame[8] = 0;
        frame[9] = (byte)players.Length;
        for (var i = 0; i < players.Length; i++)
            players[i].Write(frame[(HeaderSize + i * PlayerSize)..]);
        return frame;
    }
}
