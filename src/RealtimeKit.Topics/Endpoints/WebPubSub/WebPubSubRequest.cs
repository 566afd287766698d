using System.Net.WebSockets;

namespace RealtimeKit.Topics;

/// <summary>What a client asks for, once it has been read.</summary>
internal struct WebPubSubRequest
{
    public WebPubSubRequestKind Kind { get; set; }

    /// <summary>The group's or event's name, which is allowed as a topic's; <see langword="null"/> where the kind has none.</summary>
    public string? Name { get; set; }

    /// <summary>The request's number; <see langword="null"/> where the client wants no answer.</summary>
    public ulong? AckId { get; set; }

    public ulong SequenceId { get; set; }

    public bool NoEcho { get; set; }

    public bool IsJson { get; set; }

    public WebSocketMessageType MessageType { get; set; }

    /// <summary>A copy of the data: what is published is kept.</summary>
    public byte[] Data { get; set; }

    /// <summary>The number of an invocation, which is answered in another way.</summary>
    public string? InvocationId { get; set; }

    /// <summary>What is wrong with it; <see langword="null"/> where nothing is.</summary>
    public string? Error { get; set; }
}
