using System.Net.WebSockets;
using System.Text;
using System.Text.Json;

namespace RealtimeKit.Topics;

/// <summary>
/// Reads a request, whatever the order of its members: what its data means is said by another one. Members that are not known are skipped,
/// as later clients have some. What is known and stands there twice is refused, so that nobody else reads it differently.
/// </summary>
internal static class WebPubSubRequestReader
{
    private const string BadName = "A group's or event's name has 1 to 256 bytes as UTF-8 and no control characters.";

    // A character takes at most 6 bytes of JSON (\u0000).
    private const int MaxNameToken = 6 * TopicName.MaxLength;
    private const int MaxInvocationId = 128;

    /// <summary>Reads a request. Never throws.</summary>
    /// <param name="json">The message.</param>
    /// <param name="request">The request, with <see cref="WebPubSubRequest.Error"/> where it is not as it should be.</param>
    /// <returns>Whether it is a JSON object.</returns>
    public static bool TryRead(ReadOnlySpan<byte> json, out WebPubSubRequest request)
    {
        request = new WebPubSubRequest { Data = [] };
        try
        {
            var members = default(Members);
            var reader = new Utf8JsonReader(json);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                return false;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                ReadMember(ref reader, json, ref members, ref request);
            if (reader.TokenType != JsonTokenType.EndObject || reader.Read())
                return false;   // what follows throws: there is nothing after the object
            Check(members, ref request);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
        catch (InvalidOperationException)
        {
            return false;   // a name or a value with a lone surrogate, which is compared with what is known
        }
    }

    private static void ReadMember(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, ref Members members, ref WebPubSubRequest request)
    {
        var member = FindMember(ref reader);
        reader.Read();
        if (member != Member.None && (members.Seen & member) != 0)
            request.Error ??= "A member stands twice.";
        members.Seen |= member;
        switch (member)
        {
            case Member.Type:
                request.Kind = ReadKind(ref reader);
                break;
            case Member.AckId:
                if (reader.TokenType == JsonTokenType.Number && reader.TryGetUInt64(out var ackId))
                    request.AckId = ackId;
                else if (reader.TokenType != JsonTokenType.Null)
                    request.Error ??= "The ackId is not a whole number from 0 to 18446744073709551615.";
                break;
            case Member.SequenceId:
                if (reader.TokenType == JsonTokenType.Number && reader.TryGetUInt64(out var sequenceId))
                    request.SequenceId = sequenceId;
                else
                    request.Error ??= "The sequenceId is not a whole number from 0 to 18446744073709551615.";
                break;
            case Member.NoEcho:
                if (reader.TokenType is JsonTokenType.True or JsonTokenType.False or JsonTokenType.Null)
                    request.NoEcho = reader.TokenType == JsonTokenType.True;
                else
                    request.Error ??= "noEcho is neither true nor false.";
                break;
            case Member.Group:
                members.Group = ReadString(ref reader, MaxNameToken);
                break;
            case Member.Event:
                members.Event = ReadString(ref reader, MaxNameToken);
                break;
            case Member.InvocationId:
                request.InvocationId = ReadString(ref reader, MaxInvocationId);
                break;
            case Member.DataType:
                members.DataType = ReadDataType(ref reader);
                break;
            case Member.Data:
                members.DataStart = (int)reader.TokenStartIndex;
                reader.Skip();
                members.Data = json[members.DataStart..(int)reader.BytesConsumed];
                return;
        }

        reader.Skip();
    }

    private static Member FindMember(ref Utf8JsonReader reader) =>
        reader.ValueTextEquals("type"u8) ? Member.Type
        : reader.ValueTextEquals("ackId"u8) ? Member.AckId
        : reader.ValueTextEquals("group"u8) ? Member.Group
        : reader.ValueTextEquals("dataType"u8) ? Member.DataType
        : reader.ValueTextEquals("data"u8) ? Member.Data
        : reader.ValueTextEquals("noEcho"u8) ? Member.NoEcho
        : reader.ValueTextEquals("event"u8) ? Member.Event
        : reader.ValueTextEquals("sequenceId"u8) ? Member.SequenceId
        : reader.ValueTextEquals("invocationId"u8) ? Member.InvocationId
        : Member.None;

    private static WebPubSubRequestKind ReadKind(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.String)
            return WebPubSubRequestKind.Unknown;
        return reader.ValueTextEquals("sendToGroup"u8) ? WebPubSubRequestKind.SendToGroup
            : reader.ValueTextEquals("sequenceAck"u8) ? WebPubSubRequestKind.SequenceAck
            : reader.ValueTextEquals("event"u8) ? WebPubSubRequestKind.Event
            : reader.ValueTextEquals("joinGroup"u8) ? WebPubSubRequestKind.JoinGroup
            : reader.ValueTextEquals("leaveGroup"u8) ? WebPubSubRequestKind.LeaveGroup
            : reader.ValueTextEquals("ping"u8) ? WebPubSubRequestKind.Ping
            : reader.ValueTextEquals("invoke"u8) ? WebPubSubRequestKind.Invoke
            : reader.ValueTextEquals("cancelInvocation"u8) ? WebPubSubRequestKind.CancelInvocation
            : WebPubSubRequestKind.Unknown;
    }

    private static DataKind ReadDataType(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.Null)
            return DataKind.Json;
        if (reader.TokenType != JsonTokenType.String)
            return DataKind.Unknown;
        return reader.ValueTextEquals("json"u8) ? DataKind.Json
            : reader.ValueTextEquals("text"u8) ? DataKind.Text
            : reader.ValueTextEquals("binary"u8) ? DataKind.Binary
            : reader.ValueTextEquals("protobuf"u8) ? DataKind.Protobuf
            : DataKind.Unknown;
    }

    // Null where it is no string, too long for one, or has a lone surrogate.
    private static string? ReadString(ref Utf8JsonReader reader, int maxToken)
    {
        if (reader.TokenType != JsonTokenType.String || reader.ValueSpan.Length > maxToken)
            return null;
        try
        {
            return reader.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static void Check(in Members members, ref WebPubSubRequest request)
    {
        switch (request.Kind)
        {
            case WebPubSubRequestKind.Unknown:
                request.Error ??= "The type of the request is not known.";
                break;
            case WebPubSubRequestKind.JoinGroup or WebPubSubRequestKind.LeaveGroup:
                TakeName(members.Group, ref request);
                break;
            case WebPubSubRequestKind.SendToGroup:
                TakeName(members.Group, ref request);
                TakeData(members, ref request);
                break;
            case WebPubSubRequestKind.Event:
                TakeName(members.Event, ref request);
                TakeData(members, ref request);
                break;
            case WebPubSubRequestKind.SequenceAck when (members.Seen & Member.SequenceId) == 0:
                request.Error ??= "The sequenceId is missing.";
                break;
        }
    }

    private static void TakeName(string? name, ref WebPubSubRequest request)
    {
        request.Name = name;
        if (name is null || !TopicName.IsValid(name))
            request.Error ??= BadName;
    }

    private static void TakeData(in Members members, ref WebPubSubRequest request)
    {
        if (request.Error is not null)
            return;
        if (members.Data.IsEmpty)
        {
            request.Error = "The data is missing.";
            return;
        }

        request.MessageType = members.DataType == DataKind.Binary ? WebSocketMessageType.Binary : WebSocketMessageType.Text;
        switch (members.DataType)
        {
            case DataKind.Json:
                request.IsJson = true;
                request.Data = members.Data.ToArray();
                break;
            case DataKind.Text:
                if (ReadText(members.Data) is { } text)
                    request.Data = text;
                else
                    request.Error = "Data of type text is a JSON string of Unicode characters.";
                break;
            case DataKind.Binary:
                var reader = new Utf8JsonReader(members.Data);
                if (reader.Read() && reader.TokenType == JsonTokenType.String && reader.TryGetBytesFromBase64(out var bytes))
                    request.Data = bytes;
                else
                    request.Error = "Data of type binary is a JSON string of Base64.";
                break;
            case DataKind.Protobuf:
                request.Error = "The dataType protobuf is not supported: send the bytes as binary.";
                break;
            default:
                request.Error = "The dataType is not one of json, text and binary.";
                break;
        }
    }

    // Null where it is no string or has a lone surrogate.
    private static byte[]? ReadText(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        if (!reader.Read() || reader.TokenType != JsonTokenType.String)
            return null;
        if (!reader.ValueIsEscaped)
            return reader.ValueSpan.ToArray();
        try
        {
            return Encoding.UTF8.GetBytes(reader.GetString()!);
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    [Flags]
    private enum Member
    {
        None = 0,
        Type = 1,
        AckId = 2,
        Group = 4,
        DataType = 8,
        Data = 16,
        NoEcho = 32,
        Event = 64,
        SequenceId = 128,
        InvocationId = 256,
    }

    // JSON is what counts where the client names none.
    private enum DataKind
    {
        Json,
        Text,
        Binary,
        Protobuf,
        Unknown,
    }

    private ref struct Members
    {
        public Member Seen;
        public string? Group;
        public string? Event;
        public DataKind DataType;
        public int DataStart;
        public ReadOnlySpan<byte> Data;
    }
}
