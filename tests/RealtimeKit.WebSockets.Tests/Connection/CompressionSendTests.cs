using System.Buffers;
using System.Net.WebSockets;
using System.Text;
using RealtimeKit.WebSockets.Tests.Compression;
using RealtimeKit.WebSockets.Tests.Connection.Kit;

namespace RealtimeKit.WebSockets.Tests.Connection;

// RFC 7692 §6.1 and §7.2.1 on a connection. The peer inflates with exactly the window agreed on.
public class CompressionSendTests
{
    private const int Rsv1 = 4;

    public static TheoryData<WebSocketRole, bool, int> Agreements
    {
        get
        {
            var data = new TheoryData<WebSocketRole, bool, int>();
            foreach (var role in Enum.GetValues<WebSocketRole>())
                foreach (var takeover in (bool[])[false, true])
                    foreach (var bits in (int[])[8, 9, 12, 15])
                        data.Add(role, takeover, bits);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Agreements))]
    public async Task SendAsync_AnyAgreement_PeerInflatesWithThatWindow(WebSocketRole role, bool takeover, int bits)
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe, options => Compressing(options, role, takeover, bits));
        var inflater = new ReferenceInflater(bits, takeover);
        for (var i = 0; i < 40; i++)
        {
            var message = Samples.Create(Samples.Kinds[i % 6], i * 97 % 3000, i % 7);
            await (i % 2 == 0
                ? harness.Connection.SendAsync(message, WebSocketMessageType.Binary)
                : harness.Connection.SendAsync(Sequence(message), WebSocketMessageType.Binary));
            var frame = await harness.Peer.ReadAsync(Frames.Binary);
            frame.Masked.Should().Be(role == WebSocketRole.Client);
            frame.Fin.Should().BeTrue();
            Inflate(inflater, frame).Should().Equal(message);
            if (takeover)
                frame.Rsv.Should().Be(Rsv1);
            frame.Payload.Length.Should().BeLessThanOrEqualTo(message.Length + (takeover ? 10 : 0));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task SendAsync_EveryForm_IsCompressed(bool takeover)
    {
        await using var harness = await Harness.CreateAsync(Wire.Stream, options => Compressing(options, WebSocketRole.Server, takeover, 15));
        var inflater = new ReferenceInflater(15, takeover);
        var text = Encoding.ASCII.GetString(Samples.Create("json", 600));
        var connection = harness.Connection;
        await connection.SendAsync(text);
        await connection.SendAsync(text.AsMemory());
        await connection.SendAsync(WebSocketMessageType.Text, text, static (text, output) => Encoding.ASCII.GetBytes(text, output));
        await connection.SendAsync(new PreparedWebSocketMessage(text));
        using var batch = connection.CreateBatch();
        batch.Add(Encoding.ASCII.GetBytes(text), WebSocketMessageType.Text);
        batch.Add(new PreparedWebSocketMessage(text));
        await batch.FlushAsync();
        for (var i = 0; i < 6; i++)
        {
            var frame = await harness.Peer.ReadAsync(Frames.Text);
            frame.Rsv.Should().Be(Rsv1);
            Encoding.ASCII.GetString(Inflate(inflater, frame)).Should().Be(text);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task SendAsync_OptedOutOrSmall_IsNotCompressed(bool takeover)
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe, options =>
        {
            Compressing(options, WebSocketRole.Server, takeover, 15);
            options.Compression!.MinimumSize = 100;
        });
        var inflater = new ReferenceInflater(15, takeover);
        var message = Samples.Create("json", 100);
        var connection = harness.Connection;
        using var batch = connection.CreateBatch();
        batch.Add(message, WebSocketMessageType.Text, WebSocketMessageFlags.DisableCompression);
        batch.Add(message.AsSpan(0, 99), WebSocketMessageType.Text);
        await connection.SendAsync(message, WebSocketMessageType.Text);
        await connection.SendAsync(message, WebSocketMessageType.Text, WebSocketMessageFlags.DisableCompression);
        await connection.SendAsync(Sequence(message), WebSocketMessageType.Text, WebSocketMessageFlags.DisableCompression | WebSocketMessageFlags.EndOfMessage);
        await connection.SendAsync(message.AsMemory(0, 99), WebSocketMessageType.Text);
        await connection.SendAsync(new PreparedWebSocketMessage(message, WebSocketMessageType.Text, WebSocketMessageFlags.DisableCompression));
        await connection.SendAsync(new PreparedWebSocketMessage(message.AsSpan(0, 99), WebSocketMessageType.Text));
        await batch.FlushAsync();
        await connection.SendAsync(message, WebSocketMessageType.Text, WebSocketMessageFlags.EndOfMessage);

        int[] expected = [Rsv1, 0, 0, 0, 0, 0, 0, 0, Rsv1];
        foreach (var rsv in expected)
        {
            var frame = await harness.Peer.ReadAsync(Frames.Text);
            frame.Rsv.Should().Be(rsv);
            message.AsSpan().StartsWith(Inflate(inflater, frame)).Should().BeTrue();
        }
    }

    [Fact]
    public async Task SendAsync_Incompressible_GoesAsItIs()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe, options => Compressing(options, WebSocketRole.Server, takeover: false, 15));
        var noise = Samples.Create("random", 5000);
        await harness.Connection.SendAsync(noise, WebSocketMessageType.Binary);
        await harness.Connection.SendAsync(new PreparedWebSocketMessage(noise, WebSocketMessageType.Binary));
        for (var i = 0; i < 2; i++)
        {
            var frame = await harness.Peer.ReadAsync(Frames.Binary);
            frame.Rsv.Should().Be(0);
            frame.Payload.Should().Equal(noise);
        }
    }

    [Fact]
    public async Task SendAsync_IncompressiblePayloadFailsWhenCopied_ItsWriterIsReturnedOnce()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe, options => Compressing(options, WebSocketRole.Server, takeover: false, 15));
        using var memory = new FailingMemory(Samples.Create("random", 5000)) { ReadsLeft = 1 };
        Action send = () => _ = harness.Connection.SendAsync(new ReadOnlySequence<byte>(memory.Memory), WebSocketMessageType.Binary);
        send.Should().Throw<ObjectDisposedException>();
        var first = PooledBufferWriter.Rent();
        var second = PooledBufferWriter.Rent();
        second.Should().NotBeSameAs(first);
        first.Return();
        second.Return();
    }

    // RFC 7692 §6.1: the frames of one message share one payload; RSV1 stands in the first.
    [Theory]
    [InlineData(WebSocketRole.Server, false)]
    [InlineData(WebSocketRole.Client, false)]
    [InlineData(WebSocketRole.Server, true)]
    [InlineData(WebSocketRole.Client, true)]
    public async Task SendAsync_OverTheFrameLimit_OnlyTheFirstFrameHasRsv1(WebSocketRole role, bool takeover)
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe, options =>
        {
            Compressing(options, role, takeover, 15);
            options.MaxFrameSize = 125;
        });
        var inflater = new ReferenceInflater(15, takeover);
        var message = Samples.Create("json", 5000);
        using var batch = harness.Connection.CreateBatch();
        batch.Add(message, WebSocketMessageType.Text);
        await harness.Connection.SendAsync(message, WebSocketMessageType.Text);
        await harness.Connection.SendAsync(new PreparedWebSocketMessage(message, WebSocketMessageType.Text));
        await batch.FlushAsync();
        for (var i = 0; i < 3; i++)
        {
            var payload = new List<byte>();
            WireFrame frame;
            do
            {
                frame = await harness.Peer.ReadAsync();
                frame.Opcode.Should().Be(payload.Count == 0 ? Frames.Text : Frames.Continuation);
                frame.Rsv.Should().Be(payload.Count == 0 ? Rsv1 : 0);
                payload.AddRange(frame.Payload);
            }
            while (!frame.Fin);
            inflater.Inflate(payload.ToArray()).Should().Equal(message);
        }
    }

    // Whoever waits for room is compressed in its turn, and a cancelled message was never part of the context.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task SendAsync_WaitsForRoom_OrderAndContextHold(bool takeover)
    {
        StallingStream stream = null!;
        await using var harness = Harness.Over(inner => stream = new StallingStream(inner), options =>
        {
            Compressing(options, WebSocketRole.Server, takeover, 10);
            options.SendBufferSize = 1000;
        });
        stream.Stall();
        var expected = new List<byte[]>();
        var sends = new List<Task>();
        using var cancel = new CancellationTokenSource();
        var cancelled = new List<Task>();
        using var batch = harness.Connection.CreateBatch();
        for (var i = 0; i < 60; i++)
        {
            var message = (byte[])[.. BitConverter.GetBytes(i), .. Samples.Create(i % 3 == 0 ? "random" : "json", 700, i % 4)];
            if (i > 10 && i % 5 == 0)
            {
                cancelled.Add(harness.Connection.SendAsync(message, WebSocketMessageType.Binary, cancel.Token).AsTask());
                continue;
            }

            expected.Add(message);
            if (i % 7 == 0)
            {
                using var own = harness.Connection.CreateBatch();
                own.Add(message, WebSocketMessageType.Binary);
                sends.Add(own.FlushAsync().AsTask());
                if (!sends[^1].IsCompleted)
                    await Task.Yield();
            }
            else
            {
                sends.Add(harness.Connection.SendAsync(Sequence(message), WebSocketMessageType.Binary).AsTask());
            }
        }

        await stream.Stalled.Within();
        await cancel.CancelAsync();
        foreach (var send in cancelled)
            await ((Func<Task>)(() => send)).Should().ThrowAsync<OperationCanceledException>();
        stream.Release();

        var inflater = new ReferenceInflater(10, takeover);
        foreach (var message in expected)
            Inflate(inflater, await harness.Peer.ReadAsync(Frames.Binary)).Should().Equal(message);
        await Task.WhenAll(sends).Within();
    }

    [Theory]
    [InlineData(Wire.Pipe)]
    [InlineData(Wire.Socket)]
    public async Task SendAsync_ManyThreadsWithTakeover_PeerInflatesAll(Wire wire)
    {
        const int Threads = 8;
        const int Each = 60;
        await using var harness = await Harness.CreateAsync(wire, options =>
        {
            Compressing(options, WebSocketRole.Server, takeover: true, 11);
            options.SendBufferSize = 4096;
        });
        var senders = Enumerable.Range(0, Threads).Select(thread => Task.Run(async () =>
        {
            for (var i = 0; i < Each; i++)
                await harness.Connection.SendAsync((byte[])[(byte)thread, (byte)i, .. Samples.Create("json", 50 + i * 13, thread)], WebSocketMessageType.Binary);
        })).ToArray();

        var inflater = new ReferenceInflater(11, takesOver: true);
        var next = new int[Threads];
        for (var i = 0; i < Threads * Each; i++)
        {
            var message = Inflate(inflater, await harness.Peer.ReadAsync(Frames.Binary));
            message[1].Should().Be((byte)next[message[0]]++);
            message.AsSpan(2).SequenceEqual(Samples.Create("json", 50 + message[1] * 13, message[0])).Should().BeTrue();
        }

        await Task.WhenAll(senders).Within();
    }

    [Fact]
    public async Task PreparedMessage_SeveralConnections_IsCompressedOnce()
    {
        var prepared = new PreparedWebSocketMessage(Samples.Create("json", 3000), WebSocketMessageType.Text);
        prepared.Compress(12).Should().BeSameAs(prepared.Compress(15), "4 KiB hold the whole message");
        prepared.Compress(9).Should().NotBeSameAs(prepared.Compress(15));

        foreach (var bits in (int[])[9, 15, 15])
        {
            await using var harness = await Harness.CreateAsync(Wire.Pipe, options => Compressing(options, WebSocketRole.Server, takeover: false, bits));
            await harness.Connection.SendAsync(prepared);
            var frame = await harness.Peer.ReadAsync(Frames.Text);
            frame.Payload.Should().Equal(prepared.Compress(bits).Payload.ToArray());
            new ReferenceInflater(bits, takesOver: false).Inflate(frame.Payload).Should().Equal(prepared.Payload.ToArray());
        }

        await using var plain = await Harness.CreateAsync(Wire.Pipe);
        await plain.Connection.SendAsync(prepared);
        (await plain.Peer.ReadAsync(Frames.Text)).Payload.Should().Equal(prepared.Payload.ToArray());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Pair_Compressed_MessagesGoBothWays(bool takeover)
    {
        var (client, server) = WebSocketConnection.CreatePair(new WebSocketConnectionOptions
        {
            Compression = new PerMessageDeflateOptions { ServerContextTakeover = takeover, ClientContextTakeover = takeover, ClientMaxWindowBits = 9, MinimumSize = 10 },
        });
        client.Compression.Should().Be(server.Compression).And.NotBeNull();
        for (var i = 0; i < 50; i++)
        {
            var message = Samples.Create(Samples.Kinds[i % 6], i * 211 % 9000, i);
            await client.SendAsync(message, WebSocketMessageType.Binary);
            (await server.ReceiveAsync().Within()).ToArray().Should().Equal(message);
            await server.SendAsync(message, WebSocketMessageType.Binary);
            (await client.ReceiveAsync().Within()).ToArray().Should().Equal(message);
        }

        await Task.WhenAll(client.DisposeAsync().AsTask(), server.DisposeAsync().AsTask()).Within();
    }

    [Fact]
    public async Task Bridge_FragmentsUnderTakeover_GoUncompressedBetweenCompressedMessages()
    {
        var (client, server) = WebSocketConnection.CreatePair(new WebSocketConnectionOptions
        {
            Compression = new PerMessageDeflateOptions { ServerContextTakeover = true, ClientContextTakeover = true, MinimumSize = 0 },
            MaxFrameSize = 125,
        });
        var socket = client.AsWebSocket();
        var message = Samples.Create("json", 1000);
        for (var i = 0; i < 5; i++)
        {
            await socket.SendAsync(message.AsMemory(0, 500), WebSocketMessageType.Text, endOfMessage: false, CancellationToken.None);
            await socket.SendAsync(message.AsMemory(500), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
            await socket.SendAsync(message, WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
            (await server.ReceiveAsync().Within()).ToArray().Should().Equal(message);
            (await server.ReceiveAsync().Within()).ToArray().Should().Equal(message);
        }

        client.Abort();
        server.Abort();
        await client.DisposeAsync();
        await server.DisposeAsync();
    }

    private static byte[] Inflate(ReferenceInflater inflater, WireFrame frame) => frame.Rsv == Rsv1 ? inflater.Inflate(frame.Payload) : frame.Payload;

    private static void Compressing(WebSocketConnectionOptions options, WebSocketRole role, bool takeover, int bits)
    {
        options.Role = role;
        options.Compression = new PerMessageDeflateOptions { MinimumSize = 0 };
        options.CompressionParameters = role == WebSocketRole.Server
            ? new PerMessageDeflateParameters { ServerContextTakeover = takeover, ServerMaxWindowBits = bits }
            : new PerMessageDeflateParameters { ClientContextTakeover = takeover, ClientMaxWindowBits = bits };
    }

    private static ReadOnlySequence<byte> Sequence(byte[] bytes)
    {
        var half = bytes.Length / 2;
        var first = new Segment(bytes.AsMemory(0, half), null);
        var last = new Segment(bytes.AsMemory(half), first);
        return new ReadOnlySequence<byte>(first, 0, last, bytes.Length - half);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, Segment? previous)
        {
            Memory = memory;
            if (previous is null)
                return;
            RunningIndex = previous.RunningIndex + previous.Memory.Length;
            previous.Next = this;
        }
    }
}
