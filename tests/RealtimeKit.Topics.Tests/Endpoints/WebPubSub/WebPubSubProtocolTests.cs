using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace RealtimeKit.Topics.Tests.Endpoints;

/// <summary>What both subprotocols have in common, and the plain one.</summary>
public sealed class WebPubSubProtocolTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Open_User_IsGreetedWithItsConnection()
    {
        await using var kit = new WebPubSubKit();
        var peer = await kit.OpenAsync(kit.Plain, "ann");
        var id = (await kit.Hub.Connections.ListAsync(TopicConnectionSelector.ByUser("ann"), Cancelled))[0].ConnectionId;
        (await peer.ReadAsync()).Should().Be($$"""{"type":"system","event":"connected","userId":"ann","connectionId":"{{id}}"}""");
    }

    [Theory]
    [InlineData("""{"a":[1,null,"\u00e4"]}""", "json", null)]
    [InlineData("null", "json", null)]
    [InlineData("\"a \\\"text\\\" \\ud83d\\ude00\\n\"", "text", "\"a \\\"text\\\" 😀\\n\"")]
    [InlineData("\"\"", "text", null)]
    [InlineData("\"AP8=\"", "binary", null)]
    [InlineData("\"\"", "binary", null)]
    public async Task SendToGroup_EachDataType_ReachesOthersAsItIs(string data, string dataType, string? received)
    {
        await using var kit = new WebPubSubKit();
        var ann = await kit.ConnectAsync(kit.Plain, "ann");
        var bob = await kit.ConnectAsync(kit.Plain);
        await bob.JoinAsync("g");
        (await ann.AskAsync($$"""{"type":"sendToGroup","group":"g","ackId":7,"data":{{data}},"dataType":"{{dataType}}"}"""))
            .Should().Be("""{"type":"ack","ackId":7,"success":true}""");
        Normalize(await bob.ReadAsync()).Should().Be(
            Normalize($$"""{"type":"message","from":"group","fromUserId":"ann","group":"g","dataType":"{{dataType}}","data":{{received ?? data}}}"""));

        static string Normalize(string json) => JsonSerializer.Serialize(JsonDocument.Parse(json).RootElement);
    }

    [Fact]
    public async Task SendToGroup_WithoutDataType_IsJson()
    {
        await using var kit = new WebPubSubKit();
        var peer = await kit.ConnectAsync(kit.Plain);
        await peer.JoinAsync("g");
        (await peer.AskAsync("""{"type":"sendToGroup","group":"g","data":"x"}""")).Should().Be(
            """{"type":"message","from":"group","group":"g","dataType":"json","data":"x"}""");
    }

    [Fact]
    public async Task SendToGroup_NoEcho_ReachesOthersOnly()
    {
        await using var kit = new WebPubSubKit();
        var ann = await kit.ConnectAsync(kit.Plain);
        var bob = await kit.ConnectAsync(kit.Plain);
        await ann.JoinAsync("g");
        await bob.JoinAsync("g");
        await ann.SendAsync("""{"type":"sendToGroup","group":"g","dataType":"text","data":"1","noEcho":true}""");
        await ann.SendAsync("""{"type":"sendToGroup","group":"g","dataType":"text","data":"2"}""");
        (await ann.ReadAsync()).Should().Contain("\"data\":\"2\"");
        (await bob.ReadAsync()).Should().Contain("\"data\":\"1\"");
        (await bob.ReadAsync()).Should().Contain("\"data\":\"2\"");
    }

    [Fact]
    public async Task LeaveGroup_Member_GetsNothingMore()
    {
        await using var kit = new WebPubSubKit();
        var peer = await kit.ConnectAsync(kit.Plain);
        await peer.JoinAsync("a", "b");
        (await peer.AskAsync("""{"type":"leaveGroup","group":"a","ackId":2}""")).Should().Be("""{"type":"ack","ackId":2,"success":true}""");
        await kit.Hub.PublishAsync("a", "left", cancellationToken: Cancelled);
        await kit.Hub.PublishAsync("b", "stays", cancellationToken: Cancelled);
        (await peer.ReadAsync()).Should().Contain("stays");
    }

    [Fact]
    public async Task Publish_ByApplication_IsJsonOrTextOrBinary()
    {
        await using var kit = new WebPubSubKit();
        var peer = await kit.ConnectAsync(kit.Plain, topics: ["g"]);
        await kit.Hub.PublishAsync("g", "\"quoted\"", cancellationToken: Cancelled);
        await kit.Hub.PublishAsync("g", 5, (JsonTypeInfo<int>)JsonSerializerOptions.Default.GetTypeInfo(typeof(int)), cancellationToken: Cancelled);
        await kit.Hub.PublishAsync("g", new byte[] { 0xFF }, cancellationToken: Cancelled);
        await kit.Hub.PublishAsync("g", "}", new TopicPublishOptions { IsJson = true }, cancellationToken: Cancelled);
        await kit.Hub.PublishAsync("g", new byte[] { 0xFF }, new TopicPublishOptions { IsJson = true, MessageType = WebSocketMessageType.Text }, cancellationToken: Cancelled);
        (await peer.ReadAsync()).Should().EndWith("\"dataType\":\"text\",\"data\":\"\\\"quoted\\\"\"}");
        (await peer.ReadAsync()).Should().EndWith("\"dataType\":\"json\",\"data\":5}");
        (await peer.ReadAsync()).Should().EndWith("\"dataType\":\"binary\",\"data\":\"/w==\"}");
        (await peer.ReadAsync()).Should().EndWith("\"dataType\":\"text\",\"data\":\"}\"}", "what is not JSON would break the envelope");
        (await peer.ReadAsync()).Should().EndWith("\"dataType\":\"binary\",\"data\":\"/w==\"}", "what is not UTF-8 would break the frame");
    }

    [Fact]
    public async Task AckId_Again_IsDuplicateAndNotCarriedOut()
    {
        await using var kit = new WebPubSubKit(options: options => options.RememberedAckIds = 2);
        var peer = await kit.ConnectAsync(kit.Plain);
        var before = await kit.Hub.Engine.GetPositionAsync("g", Cancelled);
        await SendAsync(1, success: true);
        await SendAsync(1, success: false);
        await SendAsync(2, success: true);
        await SendAsync(3, success: true);
        await SendAsync(1, success: true);   // forgotten: the last two are remembered
        (await kit.Hub.Engine.GetPositionAsync("g", Cancelled)).Offset.Should().Be(before.Offset + 4);

        async Task SendAsync(int ackId, bool success)
        {
            var ack = await peer.AskAsync($$"""{"type":"sendToGroup","group":"g","ackId":{{ackId}},"data":0}""");
            if (success)
                ack.Should().Be($$"""{"type":"ack","ackId":{{ackId}},"success":true}""");
            else
                ack.Should().StartWith($$"""{"type":"ack","ackId":{{ackId}},"success":false,"error":{"name":"Duplicate",""");
        }
    }

    [Fact]
    public async Task AckId_OfRefusedRequest_CanBeTriedAgain()
    {
        var may = false;
        await using var kit = new WebPubSubKit(topics => topics.Default.AuthorizeSubscribe = _ => new ValueTask<bool>(may));
        var peer = await kit.ConnectAsync(kit.Plain);
        (await peer.AskAsync("""{"type":"joinGroup","group":"g","ackId":1}""")).Should().Contain("Forbidden");
        may = true;
        (await peer.AskAsync("""{"type":"joinGroup","group":"g","ackId":1}""")).Should().Contain("true");
    }

    [Fact]
    public async Task Requests_NotAllowed_AreForbidden()
    {
        await using var kit = new WebPubSubKit(
            topics => topics.Topic("secret", secret => secret.AuthorizeSubscribe = secret.AuthorizePublish = static _ => new ValueTask<bool>(false)), groups: ["g", "secret"]);
        var peer = await kit.ConnectAsync(kit.Plain);
        foreach (var group in (string[])["secret", "unnamed"])
        {
            (await peer.AskAsync($$"""{"type":"joinGroup","group":"{{group}}","ackId":1}""")).Should().Contain("\"success\":false,\"error\":{\"name\":\"Forbidden\"");
            (await peer.AskAsync($$"""{"type":"sendToGroup","group":"{{group}}","data":1,"ackId":2}""")).Should().Contain("\"name\":\"Forbidden\"");
        }

        // Without an ackId nobody wants to know.
        await peer.SendAsync("""{"type":"joinGroup","group":"secret"}""");
        await peer.JoinAsync("g");
    }

    [Fact]
    public async Task JoinGroup_TooMany_IsRefused()
    {
        await using var kit = new WebPubSubKit(topics => topics.MaxTopicsPerSubscription = 2);
        var peer = await kit.ConnectAsync(kit.Plain);
        await peer.JoinAsync("a", "b", "b");
        (await peer.AskAsync("""{"type":"joinGroup","group":"c","ackId":3}""")).Should().Contain("\"name\":\"BadRequest\"").And.Contain("at most 2 topics");
    }

    [Fact]
    public async Task SendToGroup_TooLarge_IsRefused()
    {
        await using var kit = new WebPubSubKit(topics => topics.MaxPayloadSize = 3);
        var peer = await kit.ConnectAsync(kit.Plain);
        (await peer.AskAsync("""{"type":"sendToGroup","group":"c","ackId":3,"data":1234}""")).Should().Contain("\"name\":\"BadRequest\"");
        (await peer.AskAsync("""{"type":"sendToGroup","group":"c","ackId":3,"data":123}""")).Should().Contain("true");
    }

    [Fact]
    public async Task Request_StoreCannotBeReached_IsInternalServerError()
    {
        await using var kit = new WebPubSubKit(topics => topics.MaxTopics = 1);
        var peer = await kit.ConnectAsync(kit.Plain, topics: ["a"]);
        (await peer.AskAsync("""{"type":"joinGroup","group":"b","ackId":1}""")).Should().Contain("\"name\":\"InternalServerError\"");
        (await peer.AskAsync("""{"type":"sendToGroup","group":"b","ackId":2,"data":1}""")).Should().Contain("\"name\":\"InternalServerError\"");
        await peer.SyncAsync();
    }

    [Fact]
    public async Task Request_ApplicationThrows_IsInternalServerError()
    {
        await using var kit = new WebPubSubKit(
            topics => topics.Default.AuthorizeSubscribe = topics.Default.AuthorizePublish = static _ => throw new FormatException("private"));
        var peer = await kit.ConnectAsync(kit.Plain);
        (await peer.AskAsync("""{"type":"joinGroup","group":"b","ackId":1}""")).Should().Contain("\"name\":\"InternalServerError\"").And.NotContain("private");
        (await peer.AskAsync("""{"type":"sendToGroup","group":"b","ackId":2,"data":1}""")).Should().Contain("\"name\":\"InternalServerError\"").And.NotContain("private");
    }

    [Fact]
    public async Task Event_Handler_GetsItAndAnswers()
    {
        var events = new List<WebPubSubEvent>();
        await using var kit = new WebPubSubKit(options: options => options.OnEvent = (sent, _) =>
        {
            events.Add(sent);
            return sent.Name switch
            {
                "forbidden" => throw new UnauthorizedAccessException("private"),
                "broken" => throw new InvalidOperationException("private"),
                _ => default,
            };
        });
        var peer = await kit.ConnectAsync(kit.Plain, "ann");
        (await peer.AskAsync("""{"type":"event","event":"moved","ackId":1,"dataType":"json","data":{"x": 1}}""")).Should().Be("""{"type":"ack","ackId":1,"success":true}""");
        (await peer.AskAsync("""{"type":"event","event":"forbidden","ackId":2,"dataType":"text","data":"ä"}""")).Should().Contain("\"Forbidden\"").And.NotContain("private");
        (await peer.AskAsync("""{"type":"event","event":"broken","ackId":3,"dataType":"binary","data":"AQI="}""")).Should().Contain("\"InternalServerError\"").And.NotContain("private");
        events.Select(sent => (sent.ConnectionId, sent.UserId, sent.Name, sent.MessageType, sent.IsJson)).Should().Equal(
            (peer.ConnectionId!, "ann", "moved", WebSocketMessageType.Text, true),
            (peer.ConnectionId!, "ann", "forbidden", WebSocketMessageType.Text, false),
            (peer.ConnectionId!, "ann", "broken", WebSocketMessageType.Binary, false));
        events.Select(sent => Convert.ToHexString(sent.Data.Span)).Should().Equal(
            Convert.ToHexString("{\"x\": 1}"u8), Convert.ToHexString("ä"u8), "0102");
        events[0].User.Identity!.IsAuthenticated.Should().BeTrue();
    }

    [Fact]
    public async Task Event_NoHandler_IsRefused()
    {
        await using var kit = new WebPubSubKit();
        var peer = await kit.ConnectAsync(kit.Plain);
        (await peer.AskAsync("""{"type":"event","event":"x","ackId":1,"data":1}""")).Should().Contain("\"name\":\"BadRequest\"");
        await peer.SendAsync("""{"type":"event","event":"x","data":1}""");
        await peer.SyncAsync();
    }

    [Fact]
    public async Task Invoke_Any_IsAnsweredAsFailed()
    {
        await using var kit = new WebPubSubKit();
        var peer = await kit.ConnectAsync(kit.Plain);
        (await peer.AskAsync("""{"type":"invoke","invocationId":"i","target":"event","event":"x","dataType":"text","data":"1"}""")).Should().StartWith(
            """{"type":"invokeResponse","invocationId":"i","success":false,"error":{"name":"BadRequest",""");
        await peer.SendAsync("""{"type":"cancelInvocation","invocationId":"i"}""");
        await peer.SyncAsync();
    }

    [Theory]
    [InlineData("""{"type":"sendToGroup","group":"g","dataType":"protobuf","data":"AA==","ackId":1}""", "protobuf is not supported")]
    [InlineData("""{"type":"sendToGroup","group":"g","dataType":"xml","data":"AA==","ackId":1}""", "The dataType")]
    [InlineData("""{"type":"sendToGroup","group":"g","dataType":7,"data":"AA==","ackId":1}""", "The dataType")]
    [InlineData("""{"type":"sendToGroup","group":"g","dataType":"text","data":7,"ackId":1}""", "Data of type text")]
    [InlineData("""{"type":"sendToGroup","group":"g","dataType":"text","data":12,"ackId":1}""", "Data of type text")]
    [InlineData("""{"type":"sendToGroup","group":"g","dataType":"text","data":{},"ackId":1}""", "Data of type text")]
    [InlineData("""{"type":"sendToGroup","group":"g","dataType":"text","data":"\ud800","ackId":1}""", "Data of type text")]
    [InlineData("""{"type":"sendToGroup","group":"g","dataType":"binary","data":"A","ackId":1}""", "Data of type binary")]
    [InlineData("""{"type":"sendToGroup","group":"g","dataType":"binary","data":{},"ackId":1}""", "Data of type binary")]
    [InlineData("""{"type":"sendToGroup","group":"g","ackId":1}""", "The data is missing")]
    [InlineData("""{"type":"sendToGroup","data":1,"ackId":1}""", "name")]
    [InlineData("""{"type":"sendToGroup","group":"","data":1,"ackId":1}""", "name")]
    [InlineData("""{"type":"sendToGroup","group":"\u0000","data":1,"ackId":1}""", "name")]
    [InlineData("""{"type":"sendToGroup","group":"\udc00","data":1,"ackId":1}""", "name")]
    [InlineData("""{"type":"sendToGroup","group":["g"],"data":1,"ackId":1}""", "name")]
    [InlineData("""{"type":"sendToGroup","group":"g","data":1,"noEcho":1,"ackId":1}""", "noEcho")]
    [InlineData("""{"type":"sendToGroup","group":"g","data":1,"data":2,"ackId":1}""", "twice")]
    [InlineData("""{"type":"joinGroup","group":"g","group":"h","ackId":1}""", "twice")]
    [InlineData("""{"type":"event","group":"g","data":1,"ackId":1}""", "name")]
    [InlineData("""{"type":"sequenceAck","sequenceId":-1,"ackId":1}""", "sequenceId")]
    [InlineData("""{"type":"sequenceAck","ackId":1}""", "sequenceId")]
    [InlineData("""{"type":"nonsense","ackId":1}""", "type")]
    [InlineData("""{"type":{"type":"ping"},"ackId":1}""", "type")]
    [InlineData("""{"ackId":1}""", "type")]
    public async Task Request_NotAsItShouldBe_IsAnsweredOrEndsTheConnection(string request, string reason)
    {
        await using var kit = new WebPubSubKit();
        var peer = await kit.ConnectAsync(kit.Plain);
        var ack = JsonDocument.Parse(await peer.AskAsync(request)).RootElement;
        ack.GetProperty("success").GetBoolean().Should().BeFalse();
        ack.GetProperty("error").GetProperty("name").GetString().Should().Be("BadRequest");
        ack.GetProperty("error").GetProperty("message").GetString().Should().Contain(reason);
        await peer.SyncAsync();

        await peer.SendAsync(request.Replace(",\"ackId\":1", "", StringComparison.Ordinal).Replace("\"ackId\":1", "", StringComparison.Ordinal));
        (await peer.ReadDisconnectedAsync(WebSocketCloseStatus.PolicyViolation)).Should().Contain(reason);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("1")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{")]
    [InlineData("{}{}")]
    [InlineData("{} x")]
    [InlineData("""{"type":"ping",}""")]
    [InlineData("""{"type":"ping" /* no */}""")]
    [InlineData("""{'type':'ping'}""")]
    [InlineData("""{"type":"ping","data":}""")]
    [InlineData("""{"type":"sendToGroup","group":"g","data":[1}""")]
    public async Task Request_NotAJsonObject_Closes1007(string request)
    {
        await using var kit = new WebPubSubKit();
        var peer = await kit.ConnectAsync(kit.Plain);
        await peer.SendAsync(request);
        (await peer.ReadDisconnectedAsync(WebSocketCloseStatus.InvalidPayloadData)).Should().Be("The request is not a JSON object.");
    }

    [Fact]
    public async Task Request_TooDeep_Closes1007()
    {
        await using var kit = new WebPubSubKit();
        var peer = await kit.ConnectAsync(kit.Plain);
        await peer.SendAsync($$"""{"type":"sendToGroup","group":"g","data":{{new string('[', 100_000)}}""");
        await peer.ReadDisconnectedAsync(WebSocketCloseStatus.InvalidPayloadData);
    }

    [Fact]
    public async Task Request_Binary_Closes1003()
    {
        await using var kit = new WebPubSubKit();
        var peer = await kit.ConnectAsync(kit.Plain);
        await peer.SendBinaryAsync("{\"type\":\"ping\"}"u8.ToArray());
        await peer.ReadDisconnectedAsync(WebSocketCloseStatus.InvalidMessageType);
    }

    [Fact]
    public async Task Connections_ServerMessageAndDisconnect_ReachTheClient()
    {
        await using var kit = new WebPubSubKit();
        var peer = await kit.ConnectAsync(kit.Plain, "ann");
        await kit.Hub.Connections.SendAsync(TopicConnectionSelector.ByUser("ann"), "hello"u8.ToArray(), WebSocketMessageType.Text, Cancelled);
        await kit.Hub.Connections.SendAsync(TopicConnectionSelector.ByUser("ann"), new byte[] { 1 }, WebSocketMessageType.Binary, Cancelled);
        (await peer.ReadAsync()).Should().Be("""{"type":"message","from":"server","dataType":"text","data":"hello"}""");
        (await peer.ReadAsync()).Should().Be("""{"type":"message","from":"server","dataType":"binary","data":"AQ=="}""");
        await kit.Hub.Connections.DisconnectAsync(TopicConnectionSelector.ByUser("ann"), "signed out", Cancelled);
        (await peer.ReadDisconnectedAsync(WebSocketCloseStatus.PolicyViolation)).Should().Be("signed out");
    }

    [Fact]
    public async Task Delivery_LeftTheHistory_ClosesWith1008()
    {
        await using var kit = new WebPubSubKit(topics => topics.Default.HistoryCount = 10);
        var peer = await kit.ConnectAsync(kit.Plain, topics: ["g"]);

        // Nobody reads: more than pipes hold, then more than the history does.
        var payload = new byte[100_000];
        for (var i = 0; i < 50; i++)
            await kit.Hub.PublishAsync("g", payload, cancellationToken: Cancelled);
        (await peer.ReadDisconnectedAsync(WebSocketCloseStatus.PolicyViolation)).Should().StartWith("Messages were lost");
    }

    [Fact]
    public async Task Drain_Open_Closes1001()
    {
        await using var kit = new WebPubSubKit();
        var peer = await kit.ConnectAsync(kit.Plain);
        var draining = kit.Hub.DrainAsync(TimeSpan.Zero, Cancelled);
        await peer.ReadDisconnectedAsync(WebSocketCloseStatus.EndpointUnavailable);
        await draining;
    }

    [Fact]
    public void Reader_EveryPrefixAndMutation_NeverThrows()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        var whole = Encoding.UTF8.GetBytes(
            """{"type":"sendToGroup","group":"gr\u00fcn","ackId":18446744073709551615,"noEcho":true,"dataType":"text","data":"\ud83d\ude00 x","invocationId":"i","other":[{"a":null}],"sequenceId":3}""");
        WebPubSubRequestReader.TryRead(whole, out var request).Should().BeTrue();
        (request.Name, request.AckId, request.NoEcho, Encoding.UTF8.GetString(request.Data)).Should().Be(("grün", ulong.MaxValue, true, "😀 x"));
        for (var length = 0; length < whole.Length; length++)
            WebPubSubRequestReader.TryRead(whole.AsSpan(0, length), out _).Should().BeFalse();

        var alphabet = "{}[]\":,\\u0 dtrue19-.e+\n\u007f"u8.ToArray();
        for (var i = 0; i < 50_000; i++)
        {
            var mutated = whole.ToArray();
            for (var changes = random.Next(1, 5); changes > 0; changes--)
                mutated[random.Next(mutated.Length)] = random.Next(4) == 0 ? (byte)random.Next(256) : alphabet[random.Next(alphabet.Length)];
            var read = () => WebPubSubRequestReader.TryRead(mutated, out _);
            try
            {
                read();
            }
            catch (Exception error)
            {
                throw new InvalidOperationException($"seed {seed}: {Convert.ToHexString(mutated)}", error);
            }
        }
    }
}
