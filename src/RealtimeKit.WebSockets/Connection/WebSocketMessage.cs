using System.Buffers;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace RealtimeKit.WebSockets;

/// <summary>
/// A whole message, borrowed from its connection: the payload lies in the connection's buffer and is valid until the next
/// receive on that connection begins. Copy what must live longer (<see cref="ToArray"/>, <see cref="GetText"/>).
/// </summary>
public readonly struct WebSocketMessage
{
    private readonly WebSocketConnection? _owner;
    private readonly uint _version;

    internal WebSocketMessage(WebSocketConnection owner, uint version, WebSocketMessageType type)
    {
        _owner = owner;
        _version = version;
        Type = type;
    }

    /// <summary>
    /// Text, binary, or <see cref="WebSocketMessageType.Close"/> once the connection has ended
    /// (see <see cref="WebSocketConnection.CloseResult"/>).
    /// </summary>
    public WebSocketMessageType Type { get; }

    /// <summary>The payload: unmasked, reassembled from its fragments, and valid UTF-8 where <see cref="Type"/> is text.</summary>
    /// <exception cref="InvalidOperationException">The next receive has begun: the buffer is no longer this message's.</exception>
    public ReadOnlySequence<byte> Payload => _owner is null ? ReadOnlySequence<byte>.Empty : _owner.GetLentPayload(_version);

    /// <summary>Decodes the payload as UTF-8.</summary>
    /// <returns>A new string.</returns>
    /// <exception cref="InvalidOperationException">The next receive has begun.</exception>
    public string GetText() => Encoding.UTF8.GetString(Payload);

    /// <summary>Copies the payload.</summary>
    /// <returns>A new array that outlives the message.</returns>
    /// <exception cref="InvalidOperationException">The next receive has begun.</exception>
    public byte[] ToArray() => Payload.ToArray();

    /// <summary>Reads the payload as JSON.</summary>
    /// <typeparam name="T">The type to read.</typeparam>
    /// <param name="json">The source-generated contract, which keeps trimming and AOT clean.</param>
    /// <returns>The value.</returns>
    /// <exception cref="JsonException">The payload is not the JSON that the contract asks for.</exception>
    /// <exception cref="InvalidOperationException">The next receive has begun.</exception>
    public T? Deserialize<T>(JsonTypeInfo<T> json)
    {
        ArgumentNullException.ThrowIfNull(json);
        var reader = new Utf8JsonReader(Payload);
        return JsonSerializer.Deserialize(ref reader, json);
    }
}
