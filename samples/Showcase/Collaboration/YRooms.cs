using System.Diagnostics.CodeAnalysis;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Samples.Showcase;

/// <summary>The rooms by name. A document stays when everybody has left, until its room is needed for another.</summary>
internal sealed class YRooms(int maxRooms)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, YRoom> _rooms = new(StringComparer.Ordinal);

    public bool TryEnter(string name, WebSocketConnection connection, [NotNullWhen(true)] out YMember? member)
    {
        member = null;
        lock (_lock)
        {
            if (!_rooms.TryGetValue(name, out var room))
            {
                if (_rooms.Count >= maxRooms)
                {
                    var oldest = _rooms.Where(pair => pair.Value.IsEmpty).OrderBy(pair => pair.Value.LeftAt).FirstOrDefault();
                    if (oldest.Value is null)
                        return false;
                    _rooms.Remove(oldest.Key);
                }

                _rooms.Add(name, room = new YRoom());
            }

            var entering = new YMember(room, connection);
            if (!room.TryEnter(entering))
                return false;
            member = entering;
            return true;
        }
    }
}
