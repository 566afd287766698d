using System.Net.WebSockets;
using System.Security.Claims;
using System.Text;
using System.Text.Json;
using RealtimeKit.Topics;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Fuzzing;

internal sealed class WebPubSubTarget : FuzzTarget
{
    private static readonly string[] Kinds = ["sendToGroup", "sequenceAck", "event", "joinGroup", "leaveGroup", "ping", "invoke", "cancelInvocation"];

    public override string Name => "webpubsub";

    public override string Description => "Web PubSub requests, plain and reliable, through the endpoint's session: the reader against JsonDocument, every ackId answered once, and all answers are JSON.";

    public override IReadOnlyList<byte[]> Dictionary { get; } =
    [
        .. ((string[])["{\"type\":\"ping\"}", "{\"type\":\"joinGroup\",\"group\":\"g\",\"ackId\":1}", "{\"type\":\"sendToGroup\",\"group\":\"g\",\"dataType\":\"text\",\"data\":\"x\",\"ackId\":2}",
            "{\"type\":\"leaveGroup\",\"group\":\"g\",\"ackId\":3}", "{\"type\":\"event\",\"event\":\"e\",\"data\":{},\"ackId\":4}", "{\"type\":\"sequenceAck\",\"sequenceId\":1}", "\"noEcho\":true,", "\"dataType\":\"binary\",",
            "\"data\":\"AAEC\"", "\"ackId\":18446744073709551615", "\"ackId\":-1", "\"ackId\":1e0", "null", "\\u0000", "\\ud800", "\"", "{", "}", "[", "]", ",", ":", "\n", " ", "\"group\":", "\"type\":", "1.0",
            "\"invocationId\":\"i\"", "{\"type\":\"invoke\",\"target\":\"event\",\"event\":\"e\",\"invocationId\":\"i\",\"dataType\":\"json\",\"data\":1}", "\"json\"", "\"protobuf\"", "\\u0067", "[[[[[[[["]).Select(Encoding.UTF8.GetBytes),
    ];

    public override void Run(ReadOnlySpan<byte> input)
    {
        var settings = new FuzzInput(input);
        var isReliable = (settings.Byte() & 1) != 0;
        var requests = new List<byte[]>();
        foreach (var range in settings.Rest.Split((byte)'\n'))
            requests.Add(settings.Rest[range].ToArray());
        foreach (var request in requests)
            CheckReader(request);
        OneThread.Run(() => RunSessionAsync(requests, isReliable));
    }

    public override byte[] Generate(FuzzRandom random)
    {
        var text = new StringBuilder();
        for (var left = 1 + random.Skewed(8); left > 0; left--)
        {
            var kind = random.Pick(Kinds);
            text.Append("{\"type\":\"").Append(kind).Append('"');
            foreach (var member in (string[])["\"group\":\"g\"", "\"event\":\"e\"", "\"ackId\":" + random.Next(5), "\"dataType\":\"" + random.Pick(["json", "text", "binary", "protobuf"]) + '"',
                "\"data\":" + random.Pick(["\"AAEC\"", "{\"a\":[1,2]}", "null", "\"\\u00e9\""]), "\"noEcho\":true", "\"sequenceId\":" + random.Next(9), "\"invocationId\":\"i\""])
            {
                if (!random.Once(3))
                    text.Append(',').Append(member);
            }

            text.Append(left == 1 ? "}" : "}\n");
        }

        return [random.NextByte(), .. Encoding.UTF8.GetBytes(text.ToString())];
    }

    // What it makes of a request, against a reader that keeps the whole document.
    private static void CheckReader(byte[] json)
    {
        var isRead = WebPubSubRequestReader.TryRead(json, out var request);
        if (!System.Text.Unicode.Utf8.IsValid(json))
            return;   // no connection hands it on (RFC 6455 §8.1)
        JsonDocument? document = null;
        try
        {
            document = JsonDocument.Parse(json);
        }
        catch (JsonException)
        {
        }

        using (document)
        {
            var isObject = document is { RootElement.ValueKind: JsonValueKind.Object };
            Oracle.That(isRead == isObject || (isObject && json.AsSpan().IndexOf("\\u"u8) >= 0), "a JSON object");   // lone surrogates are refused
            if (!isRead || request.Error is not null || HasLoneSurrogate(document!.RootElement))
                return;
            var root = document.RootElement;
            var type = root.GetProperty("type").GetString();
            Oracle.Equal(Array.IndexOf(Kinds, type) >= 0 ? type : null, char.ToLowerInvariant(request.Kind.ToString()[0]) + request.Kind.ToString()[1..], "type");
            Oracle.Equal(root.TryGetProperty("ackId", out var ackId) && ackId.ValueKind == JsonValueKind.Number ? ackId.GetUInt64() : null, request.AckId, "ackId");
            if (request.Name is { } name)
                Oracle.That(TopicName.IsValid(name) && name == root.GetProperty(request.Kind is WebPubSubRequestKind.Event ? "event" : "group").GetString(), "name");
            if (request.Kind is not (WebPubSubRequestKind.SendToGroup or WebPubSubRequestKind.Event))
                return;
            var data = root.GetProperty("data");
            var dataType = root.TryGetProperty("dataType", out var named) ? named.GetString() ?? "json" : "json";
            var expected = dataType switch { "json" => Encoding.UTF8.GetBytes(data.GetRawText()), "text" => Encoding.UTF8.GetBytes(data.GetString()!), _ => data.GetBytesFromBase64() };
            Oracle.Equal(expected, request.Data, "data");
            Oracle.Equal(dataType == "binary" ? WebSocketMessageType.Binary : WebSocketMessageType.Text, request.MessageType, "message type");
        }
    }

    // In a name that our reader passes over: the framework's document throws when it looks for any other.
    private static bool HasLoneSurrogate(JsonElement element)
    {
        try
        {
            foreach (var property in element.EnumerateObject())
                _ = property.Name;
            return false;
        }
        catch (InvalidOperationException)
        {
            return true;
        }
    }

    private static async Task RunSessionAsync(List<byte[]> requests, bool isReliable)
    {
        var topics = new TopicsOptions { TimeProvider = StandingTime.Instance };
        topics.Default.AuthorizePublish = static _ => new ValueTask<bool>(true);
        var hub = new TopicHub(options: topics);
        var options = new WebPubSubOptions { OnEvent = static (_, _) => default };
        ITopicProtocol protocol = isReliable ? new WebPubSubReliableProtocol(hub, options, null) : new WebPubSubProtocol(hub, options, null);
        var request = new TopicRequest { User = new ClaimsPrincipal(new ClaimsIdentity()), UserId = null, Topics = [], GetQuery = static _ => null, Host = hub };
        var session = await protocol.OpenAsync(request, CancellationToken.None);
        using var stream = new ScriptedStream([.. requests.Select(static request => Frame(request))]);
        var connection = WebSocketConnection.Create(stream, ConnectionRun.Options(WebSocketRole.Server));
        try
        {
            await session.RunAsync(connection);
        }
        catch (WebSocketProtocolException)
        {
            // A message that is no text: the host's concern.
        }

        await session.DisposeAsync();
        connection.Abort();
        await connection.DisposeAsync();
        await hub.DisposeAsync();

        var sent = PlainFrames.Read(stream.Written, isServer: false, allowsRsv1: false, long.MaxValue, int.MaxValue);
        Oracle.That(sent.Errors.Count == 0, "what is sent breaks a rule");
        var answers = new Dictionary<ulong, int>();
        foreach (var frame in sent.Frames.Where(static frame => frame.Opcode == 1))
        {
            using var document = JsonDocument.Parse(frame.Payload);
            if (document.RootElement.GetProperty("type").GetString() == "ack")
            {
                var ackId = document.RootElement.GetProperty("ackId").GetUInt64();
                answers[ackId] = answers.GetValueOrDefault(ackId) + 1;
            }
        }

        CheckAnswers(requests, answers);
    }

    // A request that ends the connection, or is cut off by its end, has none.
    private static void CheckAnswers(List<byte[]> requests, Dictionary<ulong, int> answers)
    {
        foreach (var request in requests)
        {
            if (!System.Text.Unicode.Utf8.IsValid(request) || !WebPubSubRequestReader.TryRead(request, out var read) || (read.Error is not null && read is { AckId: null, InvocationId: null }))
                break;
            if (read.Error is null && read.Kind is WebPubSubRequestKind.Ping or WebPubSubRequestKind.SequenceAck or WebPubSubRequestKind.CancelInvocation)
                continue;
            if (read.AckId is not { } ackId || (read.Kind == WebPubSubRequestKind.Invoke && read.InvocationId is not null))
                continue;
            Oracle.That(answers.TryGetValue(ackId, out var left) && left > 0, $"ackId {ackId} is not answered");
            answers[ackId] = left - 1;
        }

        Oracle.That(answers.Values.All(static left => left == 0), "an answer too many");
    }

    private static byte[] Frame(byte[] payload) => payload.Length < 126
        ? [0x81, (byte)(0x80 | payload.Length), 0, 0, 0, 0, .. payload]
        : [0x81, 0xFE, (byte)(payload.Length >> 8), (byte)payload.Length, 0, 0, 0, 0, .. payload];
}
