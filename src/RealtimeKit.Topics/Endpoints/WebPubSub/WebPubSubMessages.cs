using System.Buffers;
using System.Globalization;
using System.Net.WebSockets;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Topics;

/// <summary>
/// Writes what clients are sent. A message of a group is encoded once for all of them: one that has a number of its own in the connection
/// (<c>sequenceId</c>) puts it before the rest.
/// </summary>
internal static class WebPubSubMessages
{
    public const string Forbidden = "Forbidden";
    public const string BadRequest = "BadRequest";
    public const string Duplicate = "Duplicate";
    public const string InternalServerError = "InternalServerError";

    /// <summary>The longest <see cref="WriteHead"/>.</summary>
    public const int MaxHeadLength = 36;

    // No page embeds it: escaping what HTML would mind only makes it longer.
    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static ReadOnlyMemory<byte> Pong { get; } = "{\"type\":\"pong\"}"u8.ToArray();

    /// <summary>The message that an entry is for everybody.</summary>
    public static PreparedWebSocketMessage CreateGroupMessage(TopicEntry entry)
    {
        var json = new ArrayBufferWriter<byte>(entry.Payload.Length + 128);
        using var writer = new Utf8JsonWriter(json, Compact);
        writer.WriteStartObject();
        writer.WriteString("type"u8, "message"u8);
        writer.WriteString("from"u8, "group"u8);
        if (entry.UserId is not null)
            writer.WriteString("fromUserId"u8, entry.UserId);
        writer.WriteString("group"u8, entry.Topic);
        WriteData(writer, entry.Payload.Span, entry.MessageType, entry.IsJson);
        writer.WriteEndObject();
        writer.Flush();
        return new PreparedWebSocketMessage(json.WrittenSpan, WebSocketMessageType.Text);
    }

    /// <summary>What stands before the rest of a message that has a number: the rest is all but its first byte.</summary>
    /// <param name="destination">At least <see cref="MaxHeadLength"/> bytes.</param>
    /// <param name="sequenceId">The number.</param>
    /// <returns>The length.</returns>
    public static int WriteHead(Span<byte> destination, ulong sequenceId)
    {
        var prefix = "{\"sequenceId\":"u8;
        prefix.CopyTo(destination);
        sequenceId.TryFormat(destination[prefix.Length..], out var digits, default, CultureInfo.InvariantCulture);
        destination[prefix.Length + digits] = (byte)',';
        return prefix.Length + digits + 1;
    }

    /// <summary>A message that belongs to no group.</summary>
    public static ReadOnlyMemory<byte> CreateServerMessage(ReadOnlySpan<byte> payload, WebSocketMessageType type)
    {
        var json = new ArrayBufferWriter<byte>(payload.Length + 128);
        using var writer = new Utf8JsonWriter(json, Compact);
        writer.WriteStartObject();
        writer.WriteString("type"u8, "message"u8);
        writer.WriteString("from"u8, "server"u8);
        WriteData(writer, payload, type, isJson: false);
        writer.WriteEndObject();
        writer.Flush();
        return json.WrittenMemory;
    }

    public static ReadOnlyMemory<byte> CreateConnected(string connectionId, string? userId, string? reconnectionToken)
    {
        var json = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(json, Compact);
        writer.WriteStartObject();
        writer.WriteString("type"u8, "system"u8);
        writer.WriteString("event"u8, "connected"u8);
        if (userId is not null)
            writer.WriteString("userId"u8, userId);
        writer.WriteString("connectionId"u8, connectionId);
        if (reconnectionToken is not null)
            writer.WriteString("reconnectionToken"u8, reconnectionToken);
        writer.WriteEndObject();
        writer.Flush();
        return json.WrittenMemory;
    }

    public static ReadOnlyMemory<byte> CreateDisconnected(string? message)
    {
        var json = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(json, Compact);
        writer.WriteStartObject();
        writer.WriteString("type"u8, "system"u8);
        writer.WriteString("event"u8, "disconnected"u8);
        if (message is not null)
            writer.WriteString("message"u8, message);
        writer.WriteEndObject();
        writer.Flush();
        return json.WrittenMemory;
    }

    /// <summary>That a request was carried out.</summary>
    public static void WriteSuccess(ulong ackId, IBufferWriter<byte> output)
    {
        var prefix = "{\"type\":\"ack\",\"ackId\":"u8;
        var suffix = ",\"success\":true}"u8;
        var span = output.GetSpan(prefix.Length + 20 + suffix.Length);
        prefix.CopyTo(span);
        ackId.TryFormat(span[prefix.Length..], out var digits, default, CultureInfo.InvariantCulture);
        suffix.CopyTo(span[(prefix.Length + digits)..]);
        output.Advance(prefix.Length + digits + suffix.Length);
    }

    public static ReadOnlyMemory<byte> CreateFailure(ulong ackId, string name, string message)
    {
        var json = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(json, Compact);
        writer.WriteStartObject();
        writer.WriteString("type"u8, "ack"u8);
        writer.WriteNumber("ackId"u8, ackId);
        WriteError(writer, name, message);
        writer.Flush();
        return json.WrittenMemory;
    }

    public static ReadOnlyMemory<byte> CreateInvocationFailure(string invocationId, string name, string message)
    {
        var json = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(json, Compact);
        writer.WriteStartObject();
        writer.WriteString("type"u8, "invokeResponse"u8);
        writer.WriteString("invocationId"u8, invocationId);
        WriteError(writer, name, message);
        writer.Flush();
        return json.WrittenMemory;
    }

    private static void WriteError(Utf8JsonWriter writer, string name, string message)
    {
        writer.WriteBoolean("success"u8, false);
        writer.WriteStartObject("error"u8);
        writer.WriteString("name"u8, name);
        writer.WriteString("message"u8, message);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    // What was promised to be JSON or text and is not would break the envelope around it.
    private static void WriteData(Utf8JsonWriter writer, ReadOnlySpan<byte> payload, WebSocketMessageType type, bool isJson)
    {
        if (type == WebSocketMessageType.Binary || !Utf8.IsValid(payload))
        {
            writer.WriteString("dataType"u8, "binary"u8);
            writer.WriteBase64String("data"u8, payload);
        }
        else if (isJson && IsJson(payload))
        {
            writer.WriteString("dataType"u8, "json"u8);
            writer.WritePropertyName("data"u8);
            writer.WriteRawValue(payload, skipInputValidation: true);
        }
        else
        {
            writer.WriteString("dataType"u8, "text"u8);
            writer.WriteString("data"u8, payload);
        }
    }

    private static bool IsJson(ReadOnlySpan<byte> payload)
    {
        try
        {
            var reader = new Utf8JsonReader(payload);
            while (reader.Read())
            {
            }

            return reader.CurrentDepth == 0 && reader.TokenType != JsonTokenType.None;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
