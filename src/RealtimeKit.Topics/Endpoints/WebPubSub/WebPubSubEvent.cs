using System.Net.WebSockets;
using System.Security.Claims;

namespace RealtimeKit.Topics;

/// <summary>An event that a client has sent to the application, see <see cref="WebPubSubOptions.OnEvent"/>. It may be kept.</summary>
public sealed class WebPubSubEvent
{
    internal WebPubSubEvent(string connectionId, string? userId, ClaimsPrincipal user, in WebPubSubRequest request)
    {
        ConnectionId = connectionId;
        UserId = userId;
        User = user;
        Name = request.Name!;
        Data = request.Data;
        MessageType = request.MessageType;
        IsJson = request.IsJson;
    }

    /// <summary>The connection's id, with which <see cref="TopicConnections"/> finds it.</summary>
    public string ConnectionId { get; }

    /// <summary>Who sent it; <see langword="null"/> where nobody signed in.</summary>
    public string? UserId { get; }

    /// <summary>Who sent it; one without identity where nobody signed in.</summary>
    public ClaimsPrincipal User { get; }

    /// <summary>The event's name, as the client says: 1 to 256 bytes as UTF-8, without control characters.</summary>
    public string Name { get; }

    /// <summary>The data: JSON as the client wrote it, text as UTF-8, or bytes.</summary>
    public ReadOnlyMemory<byte> Data { get; }

    /// <summary>Text, which JSON is too, or binary.</summary>
    public WebSocketMessageType MessageType { get; }

    /// <summary>Whether the data is JSON.</summary>
    public bool IsJson { get; }
}
