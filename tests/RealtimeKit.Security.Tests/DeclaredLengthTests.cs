using System.Net.Sockets;

namespace RealtimeKit.Security.Tests;

/// <summary>SECURITY.md, counts declared by a peer: nothing is allocated for what somebody says will come.</summary>
public class DeclaredLengthTests
{
    [Theory(Timeout = Until.Bound), InlineData("1048577"), InlineData("4611686018427387904"), InlineData("9223372036854775807")]
    public async Task Post_DeclaringTooMuch_Is413(string length)
    {
        AssertRefused(await PostAsync(1 << 20, length));
        if (length == "1048577")
        {
            var status = await PostAsync(1 << 24, length);
            Proof.FailsWithoutTheLimit(() => AssertRefused(status));
        }
    }

    // Within the limit: 300 requests that declare 20 MiB each, and send a byte.
    [Fact(Timeout = Until.Bound)]
    public async Task Posts_DeclaringMuch_AreNotAllocatedFor()
    {
        await using var server = await StartAsync(20 << 20);
        await using var bystander = await Bystander.JoinAsync(server);
        var before = RetainedMemory.Measure();
        var peers = new List<RawWebSocket>();
        for (var i = 0; i < 300; i++)
        {
            peers.Add(await RawWebSocket.OpenAsync(server.Port, isTls: false));
            await peers[i].Stream.WriteAsync(Encoding.ASCII.GetBytes($"POST /live/a HTTP/1.1\r\nHost: 127.0.0.1:{server.Port}\r\nContent-Length: {20 << 20}\r\n\r\nx"), Until.Cancelled);
        }

        await bystander.IsServedAsync();
        RetainedMemory.Since(before).Should().BeLessThan(60 * RetainedMemory.MiB, "they declared 6,000");
        foreach (var peer in peers)
            peer.Reset();
    }

    // Numbers and structure that a request of Web PubSub declares: read as they are, or refused.
    [Theory(Timeout = Until.Bound)]
    [InlineData("""{"type":"sequenceAck","sequenceId":18446744073709551615}""", null)]
    [InlineData("""{"type":"sequenceAck","sequenceId":1e400}""", 1008)]
    [InlineData("""{"type":"sequenceAck","sequenceId":-1}""", 1008)]
    [InlineData("""{"type":"joinGroup","group":"g","ackId":99999999999999999999999}""", 1008)]
    [InlineData("""{"type":"joinGroup","group":"g","ackId":18446744073709551615,"count":1000000000000}""", null)]
    [InlineData("""{"type":"51-sendToGroup","attachments":2147483647}""", 1008)]
    [InlineData("NEST", 1007)]
    [InlineData("LONGNAME", 1008)]
    public async Task WebPubSub_DeclaredNumbersAndDepth_AllocateNothing(string message, int? closed)
    {
        if (message == "NEST")
            message = """{"type":"sendToGroup","group":"g","data":""" + new string('[', 400_000) + new string(']', 400_000) + "}";
        else if (message == "LONGNAME")
            message = $$"""{"type":"joinGroup","group":"{{new string('g', 900_000)}}"}""";
        await using var server = await StartAsync(1 << 20);
        await using var bystander = await Bystander.JoinAsync(server);
        await using var peer = await Peer.ConnectAsync(server, "/live", "Sec-WebSocket-Protocol: json.reliable.webpubsub.azure.v1");
        var before = RetainedMemory.Measure();
        if (closed is null)
        {
            (await peer.FloodAsync(RawWebSocket.Text(message), 1)).Should().BeNull();
        }
        else
        {
            // No ping behind it: while a message is looked at, that may be answered already.
            await peer.SendAsync(RawWebSocket.Text(message));
            ((int?)await peer.ReadCloseAsync()).Should().Be(closed);
        }

        RetainedMemory.Since(before).Should().BeLessThan(8 * RetainedMemory.MiB);
        await bystander.IsServedAsync();
    }

    private static void AssertRefused(int status) => status.Should().Be(413);

    private static async Task<int> PostAsync(int limit, string length)
    {
        await using var server = await StartAsync(limit);
        await using var bystander = await Bystander.JoinAsync(server);
        await using var peer = await RawWebSocket.OpenAsync(server.Port, isTls: false);
        await peer.Stream.WriteAsync(Encoding.ASCII.GetBytes($"POST /live/a HTTP/1.1\r\nHost: 127.0.0.1:{server.Port}\r\nContent-Length: {length}\r\n\r\n"), Until.Cancelled);
        if (length == "1048577" && limit > 1 << 20)
            await peer.Stream.WriteAsync(new byte[1_048_577], Until.Cancelled);
        var buffer = new byte[1024];
        var count = await peer.Stream.ReadAsync(buffer, Until.Cancelled);
        await bystander.IsServedAsync();
        return int.Parse(Encoding.ASCII.GetString(buffer, 0, count).Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
    }

    private static Task<TestServerHost> StartAsync(int limit) => TopicsServer.StartAsync(
        Wire.Pipes,
        topics =>
        {
            TopicsServer.AllowPublish(topics);
            topics.MaxPayloadSize = limit;
        },
        map: app => app.MapWebSocket("/echo", Handlers.EchoAsync));
}
