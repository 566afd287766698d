using System.IO.Compression;

namespace RealtimeKit.Security.Tests;

/// <summary>SECURITY.md, out-of-bounds write in the deflate path: streams made to lead an inflater astray. The fuzzers do this by the million; here it is done to a host.</summary>
public class HostileDeflateTests
{
    private const string Extension = "Sec-WebSocket-Extensions: permessage-deflate";

    private static readonly Dictionary<string, BitString> Streams = new()
    {
        ["a block of type 3"] = new BitString().Block(3),
        ["a stored block whose lengths do not agree"] = new BitString().Block(0).Add(0, 5).Add(1, 16).Add(0xFFFF, 16),
        ["the length symbol 286"] = new BitString().Block(1).Code("11000110"),
        ["the length symbol 287"] = new BitString().Block(1).Code("11000111"),
        ["the distance symbol 30"] = new BitString().Block(1).Code("00110001").Code("0000001").Code("11110"),
        ["the distance symbol 31"] = new BitString().Block(1).Code("00110001").Code("0000001").Code("11111"),
        ["a distance before the beginning"] = new BitString().Block(1).Code("0000001").Code("00000"),
        ["a distance of 32 KiB after one byte"] = new BitString().Block(1).Code("00110001").Code("0000001").Code("11101").Add(0x1FFF, 13),
        ["287 literal and length codes"] = new BitString().DynamicBlock(287, 1, (1, 1), (18, 1)),
        ["288 literal and length codes"] = new BitString().DynamicBlock(288, 1, (1, 1), (18, 1)),
        ["no code for lengths"] = new BitString().DynamicBlock(257, 1),
        ["more codes for lengths than there is room for"] = new BitString().DynamicBlock(257, 1, (0, 1), (1, 1), (2, 1)),
        ["fewer codes for lengths than there is room for"] = new BitString().DynamicBlock(257, 1, (0, 2), (1, 2)).Code("11"),
        ["a repeat of the length before the first"] = new BitString().DynamicBlock(257, 1, (1, 1), (16, 1)).Code("1").Add(0, 2),
        ["a repeat past the last length"] = new BitString().DynamicBlock(257, 1, (1, 1), (18, 1)).Code("1").Add(127, 7).Code("1").Add(127, 7),
        ["no code for the end of the block"] = new BitString().DynamicBlock(257, 1, (1, 1), (18, 1)).Code("0").Code("0").Code("1").Add(127, 7).Code("1").Add(117 - 11, 7).Code("1").Add(0, 7),
        ["more literals than there is room for"] = new BitString().DynamicBlock(257, 1, (1, 1), (18, 1)).Code(new string('0', 258)),
    };

    /// <summary>Streams that RFC 1951 does not allow.</summary>
    public static TheoryData<string> Malformed => [.. Streams.Keys];

    [Theory(Timeout = Until.Bound), MemberData(nameof(Malformed))]
    public async Task Stream_Malformed_IsEndedWith1007(string why)
    {
        await using var server = await StartAsync();
        await using var bystander = await Bystander.JoinAsync(server);
        foreach (var split in new[] { int.MaxValue, 1 })
        {
            // With filler behind it, so that no stream is merely unfinished.
            byte[] stream = [.. Streams[why].ToArray(), .. new byte[64]];
            await using var peer = await Peer.ConnectAsync(server, "/ws", Extension);
            AssertRefused(await peer.FloodAsync(Split(stream, split), 1), why);
        }

        await bystander.IsServedAsync();
        AssertNothingBroke(server);
    }

    // The proof that the assertion above can fail.
    [Fact(Timeout = Until.Bound)]
    public async Task Stream_InOrder_IsEchoed()
    {
        await using var server = await StartAsync();
        foreach (var stream in new[] { Deflate("in order"u8.ToArray()), new BitString().AddEmptyDynamicBlock().Block(1).Code("00110001").Code("0000001").Code("00000").Code("0000000").Block(0).ToArray() })
        {
            await using var peer = await Peer.ConnectAsync(server, "/ws", Extension);
            var status = await peer.FloodAsync(Split(stream, 1), 1);
            Proof.FailsWithoutTheLimit(() => AssertRefused(status, "nothing"));
        }
    }

    // Octets of the tail that a sender leaves out (RFC 7692 §7.2.1), all kinds of them, after all kinds of beginnings.
    [Fact(Timeout = Until.Bound)]
    public async Task Tails_OfEveryKind_AreEchoedOrRefused()
    {
        byte[][] tails = [[], [0x00], [0x00, 0x00], [0x00, 0x00, 0xFF], [0x00, 0x00, 0xFF, 0xFF], [0x01, 0x00, 0x00, 0xFF, 0xFF], [0x00, 0x00, 0x00, 0xFF, 0xFF], [0x03, 0x00], [0xFF], [0x80], [0xFF, 0xFF, 0x00, 0x00]];
        byte[][] starts = [[], Deflate([]), Deflate("x"u8.ToArray()), Deflate(new byte[70_000]), [0x00], [0x01], [0x02], [0x03], [0x04], [0x05]];
        await RunAsync(starts.SelectMany(start => tails.Select(tail => (byte[])[.. start, .. tail])));
    }

    // Good streams with some bits changed: they look right until they are not.
    [Fact(Timeout = Until.Bound)]
    public async Task Streams_Mutated_AreEchoedOrRefused()
    {
        var random = new Random(20451);
        var text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 400).Select(i => $"{{\"id\":{i},\"name\":\"n{i % 7}\"}}")));
        var noise = new byte[3000];
        random.NextBytes(noise);
        byte[][] seeds = [Deflate(text), Deflate(noise), Deflate(new byte[100_000]), Deflate([.. noise, .. noise, .. text])];
        await RunAsync(Enumerable.Range(0, 1200).Select(_ =>
        {
            var stream = seeds[random.Next(seeds.Length)].ToArray();
            for (var changes = random.Next(1, 4); changes > 0; changes--)
                stream[random.Next(random.Next(2) == 0 ? Math.Min(stream.Length, 64) : stream.Length)] ^= (byte)(1 << random.Next(8));
            return random.Next(4) == 0 ? stream[..random.Next(stream.Length)] : stream;
        }));
    }

    private static async Task RunAsync(IEnumerable<byte[]> streams)
    {
        await using var server = await StartAsync();
        await using var bystander = await Bystander.JoinAsync(server);
        var outcomes = new Dictionary<WebSocketCloseStatus, int>();
        var before = RetainedMemory.Measure();
        var peer = await Peer.ConnectAsync(server, "/ws", Extension);
        foreach (var stream in streams)
        {
            var status = await peer.FloodAsync(RawWebSocket.Frame(2, stream, reserved: 4), 1);
            outcomes[status ?? 0] = outcomes.GetValueOrDefault(status ?? 0) + 1;
            if (status is null)
                continue;   // echoed: the next one on the same connection
            await peer.DisposeAsync();
            peer = await Peer.ConnectAsync(server, "/ws", Extension);
        }

        await peer.DisposeAsync();
        outcomes.Keys.Should().BeSubsetOf([(WebSocketCloseStatus)0, WebSocketCloseStatus.InvalidPayloadData, WebSocketCloseStatus.ProtocolError, WebSocketCloseStatus.MessageTooBig]);
        outcomes.Keys.Should().Contain([(WebSocketCloseStatus)0, WebSocketCloseStatus.InvalidPayloadData], "else the streams are all of one kind");
        RetainedMemory.Since(before).Should().BeLessThan(48 * RetainedMemory.MiB, "a thousand connections' logs, which the test keeps, are some of it; what was inflated would be hundreds");
        await bystander.IsServedAsync();
        AssertNothingBroke(server);
    }

    private static Task<TestServerHost> StartAsync() => Hosts.StartAsync(Wire.Pipes, static options =>
    {
        options.Compression = new();
        options.Connection.ControlFramesPerSecond = options.Connection.ControlFrameBurst = 1_000_000;
    });

    private static void AssertRefused(WebSocketCloseStatus? status, string why) => status.Should().Be(WebSocketCloseStatus.InvalidPayloadData, why);

    private static void AssertNothingBroke(TestServerHost server) => server.Logs.All.Should().NotContain(
        record => record.Level >= Microsoft.Extensions.Logging.LogLevel.Error, "a stream that is broken is the peer's fault, never an exception of the inflater");

    private static byte[] Split(byte[] stream, int length) => stream.Length <= length
        ? RawWebSocket.Frame(2, stream, reserved: 4)
        : [.. stream.Chunk(length).SelectMany((part, i) => RawWebSocket.Frame(i == 0 ? 2 : 0, part, isFinal: (i + 1) * length >= stream.Length, reserved: i == 0 ? 4 : 0))];

    private static byte[] Deflate(byte[] payload)
    {
        var compressed = new MemoryStream();
        using (var deflate = new DeflateStream(compressed, CompressionLevel.Optimal, leaveOpen: true))
        {
            deflate.Write(payload);
            deflate.Flush();
        }

        var bytes = compressed.ToArray();
        var tail = bytes.AsSpan().LastIndexOf((ReadOnlySpan<byte>)[0x00, 0x00, 0xFF, 0xFF]);
        return tail < 0 ? [0x00] : bytes[..tail];
    }
}
