using System.Net.WebSockets;

namespace RealtimeKit.Topics;

/// <summary>A client's connection, as the registry sees it: what an endpoint registers with <see cref="TopicConnections.AddAsync(ITopicConnection, CancellationToken)"/>.</summary>
public interface ITopicConnection
{
    /// <summary>Its id: unguessable and unique among all nodes.</summary>
    string Id { get; }

    /// <summary>Who it belongs to; <see langword="null"/> where nobody signed in.</summary>
    string? UserId { get; }

    /// <summary>Sends it a message that belongs to no topic.</summary>
    /// <param name="payload">The payload.</param>
    /// <param name="messageType">Text or binary.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask SendAsync(ReadOnlyMemory<byte> payload, WebSocketMessageType messageType, CancellationToken cancellationToken);

    /// <summary>Ends it, in order.</summary>
    /// <param name="reason">What to tell the client; <see langword="null"/> for nothing.</param>
    /// <param name="cancellationToken">Ends it at once.</param>
    ValueTask DisconnectAsync(string? reason, CancellationToken cancellationToken);
}
