using System.Globalization;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using RealtimeKit.AspNetCore.Tests.WebSockets;
using RealtimeKit.Topics;

namespace RealtimeKit.AspNetCore.Tests.Topics;

/// <summary>Azure's own client of Web PubSub, from npm, against the subprotocols of an endpoint.</summary>
public class WebPubSubTests
{
    private const string Script = "webpubsub.mjs";
    private const string Package = "@azure/web-pubsub-client";

    public static TheoryData<Wire, string> Http1Wires => new MatrixTheoryData<Wire, string>([Wire.Pipes, Wire.Stream], ["plain", "reliable"]);

    [Theory(Timeout = Until.Bound), MemberData(nameof(Http1Wires))]
    public async Task Talk_NpmClients_UnderstandEachOther(Wire wire, string protocol)
    {
        var events = new List<string>();
        await using var server = await TopicsServer.StartAsync(
            wire,
            topics =>
            {
                TopicsServer.AllowPublish(topics);
                topics.Topic("secret", secret => secret.AuthorizeSubscribe = secret.AuthorizePublish = static _ => ValueTask.FromResult(false));
            },
            endpoint =>
            {
                endpoint.UserId = static _ => "ann";
                endpoint.WebPubSub!.OnEvent = (sent, _) =>
                {
                    events.Add($"{sent.Name} {Encoding.UTF8.GetString(sent.Data.Span)}");
                    return sent.Name == "moved" ? default : throw new FormatException();
                };
            });
        await using var node = NodeScript.StartNode(Script, Package, "talk", $"{server.Uri("/live")}", protocol);
        Text(await node.ReadAsync()).Should().Be("""{"hasId":true,"userId":"ann"}""");
        var numbered = protocol == "reliable" ? "true" : "false";
        Text(await node.ReadAsync()).Should().Be($$"""{"isDuplicated":false,"from":"ann","group":"room","type":"json","data":{"a":[1,"ä"]},"numbered":{{numbered}}}""");
        Text(await node.ReadAsync()).Should().Be($$"""{"isDuplicated":false,"from":"ann","group":"room","type":"text","data":"\"text\" 😀","numbered":{{numbered}}}""");
        Text(await node.ReadAsync()).Should().Be($$"""{"isDuplicated":false,"from":"ann","group":"room","type":"binary","data":[0,255,7],"numbered":{{numbered}}}""");
        Text(await node.ReadAsync()).Should().Be("""{"toAnn":"echo","toBob":"echo"}""");
        Text(await node.ReadAsync()).Should().Be("""{"again":{"ackId":77,"isDuplicated":true}}""");
        Text(await node.ReadAsync()).Should().Be("""{"toBob":"once"}""");
        var refused = await node.ReadAsync();
        refused.GetProperty("join").GetProperty("name").GetString().Should().Be("Forbidden");
        refused.GetProperty("publish").GetProperty("name").GetString().Should().Be("Forbidden");
        (await node.ReadAsync()).GetProperty("protobuf").GetProperty("message").GetString().Should().Contain("protobuf is not supported");
        (await node.ReadAsync()).GetProperty("event").GetProperty("name").GetString().Should().Be("InternalServerError");
        events.Should().Equal("""moved {"x":1}""", "broken x");
        await server.Hub().Connections.SendAsync(TopicConnectionSelector.ByTopic("room"), "for all"u8.ToArray(), WebSocketMessageType.Text);
        Text(await node.ReadAsync()).Should().Be("""{"fromServer":"for all"}""");
        Text(await node.ReadAsync()).Should().Be("""{"toBob":"last"}""");
        await node.ExitAsync();
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Recover_NpmClientLosesItsConnectionWhileOthersPublish_SeesEachMessageOnce()
    {
        await using var server = await TopicsServer.StartAsync(Wire.Pipes, topics =>
        {
            TopicsServer.AllowPublish(topics);
            topics.Default.HistoryCount = 100_000;
        });
        await using var relay = new CountingRelay(server.Port);
        await using var node = NodeScript.StartNode(Script, Package, "follow", $"ws://127.0.0.1:{relay.Port}/live", "a,b,own", "60");
        (await node.ReadAsync()).GetProperty("joined").GetArrayLength().Should().Be(3);

        using var enough = new CancellationTokenSource();
        var published = new Dictionary<string, int> { ["a"] = 0, ["b"] = 0 };
        var publisher = Task.Run(async () =>
        {
            while (!enough.IsCancellationRequested)
            {
                var topic = published["a"] > published["b"] ? "b" : "a";
                await server.Hub().PublishAsync(topic, (++published[topic]).ToString(CultureInfo.InvariantCulture));
                await Task.Delay(2, CancellationToken.None);
            }
        });

        // Cut by the network, which the server may not notice, and by the server.
        var hasPublished = false;
        for (var i = 0; i < 6 || !hasPublished; i++)
        {
            for (var progress = 0; progress < 3 && !(i >= 6 && hasPublished);)
            {
                var line = await node.ReadAsync();
                progress += line.TryGetProperty("seen", out _) ? 1 : 0;
                hasPublished |= line.TryGetProperty("published", out _);
            }

            if (i >= 6)
                continue;
            relay.Drop();
            await Until.TrueAsync(() => relay.Accepted > i + 1);   // what it prints next may be of before the cut
        }

        await enough.CancelAsync();
        await publisher;
        await server.Hub().PublishAsync("a", "end");
        JsonElement last;
        do
            last = await node.ReadAsync();
        while (!last.TryGetProperty("wrong", out _));

        // Recovered, which the client does not call a connection; and what it sent again was not published again.
        last.GetProperty("wrong").GetArrayLength().Should().Be(0, last.GetRawText());
        (last.GetProperty("connected").GetInt32(), last.GetProperty("disconnected").GetInt32()).Should().Be((1, 0));
        last.GetProperty("seen").GetProperty("a").GetInt32().Should().Be(published["a"]);
        last.GetProperty("seen").GetProperty("own").GetInt32().Should().Be(60);
        relay.Accepted.Should().BeGreaterThanOrEqualTo(7);
        await node.ExitAsync();
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Recover_NpmClientWasAwayForTooLong_IsToldAndBeginsAnew()
    {
        await using var server = await TopicsServer.StartAsync(Wire.Pipes, topics => topics.Default.HistoryCount = 3);
        await using var relay = new CountingRelay(server.Port);
        await using var node = NodeScript.StartNode(Script, Package, "watch", $"ws://127.0.0.1:{relay.Port}/live");
        var first = (await node.ReadAsync()).GetProperty("connected").GetString();
        await node.ReadAsync();
        await server.Hub().PublishAsync("room", "0");
        (await node.ReadAsync()).GetProperty("data").GetString().Should().Be("0");

        relay.IsDown = true;
        relay.Drop();
        for (var i = 1; i <= 5; i++)
            await server.Hub().PublishAsync("room", $"{i}");
        relay.IsDown = false;

        // It ended when the client came back, or before: while the server still wrote to a socket that nobody read.
        (await node.ReadAsync()).GetProperty("disconnected").GetString().Should().Match(message =>
            message.StartsWith("Messages were lost", StringComparison.Ordinal) || message.StartsWith("The connection cannot be recovered", StringComparison.Ordinal));
        (await node.ReadAsync()).GetProperty("connected").GetString().Should().NotBe(first);

        // It joins its groups again by itself.
        await Until.TrueAsync(() => server.Hub().Connections.ListAsync(TopicConnectionSelector.ByTopic("room")).AsTask().Result.Count == 1);
        await server.Hub().PublishAsync("room", "6");
        (await node.ReadAsync()).GetProperty("data").GetString().Should().Be("6");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Recover_NpmClientAbortedByTheServer_GoesOn()
    {
        var hosts = new List<Microsoft.AspNetCore.Http.HttpContext>();
        await using var server = await TopicsServer.StartAsync(Wire.Pipes, map: app => app.Use((context, next) =>
        {
            lock (hosts)
                hosts.Add(context);
            return next(context);
        }));
        await using var node = NodeScript.StartNode(Script, Package, "watch", $"{server.Uri("/live")}");
        await node.ReadAsync();
        await node.ReadAsync();
        hosts[0].Abort();
        await server.Hub().PublishAsync("room", "1");
        (await node.ReadAsync()).GetProperty("data").GetString().Should().Be("1");
        hosts.Should().HaveCount(2);
    }

    [Theory(Timeout = Until.Bound)]
    [InlineData(true, "json.webpubsub.azure.v1")]
    [InlineData(false, null)]
    public async Task SubProtocol_TurnedOff_IsNotSpoken(bool isOn, string? expected)
    {
        await using var server = await TopicsServer.StartAsync(Wire.Pipes, endpoint: endpoint => endpoint.WebPubSub = isOn ? endpoint.WebPubSub : null);
        using var socket = await server.ConnectAsync("/live?topic=a", options => options.AddSubProtocol("json.webpubsub.azure.v1"));
        socket.SubProtocol.Should().Be(expected);
    }

    private static string Text(JsonElement json) => json.GetRawText();
}
