using System.Net.ServerSentEvents;
using RealtimeKit.ServerSentEvents;

namespace RealtimeKit.Security.Tests;

/// <summary>SECURITY.md, SSE parser memory: a server that makes its client hold a line, an event, an id without end.</summary>
public class SseParserMemoryTests
{
    private const string Head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
    private const int Total = 48 << 20;

    public static TheoryData<string, bool> Attacks => new()
    {
        { "line", true }, { "line", false }, { "event", true }, { "event", false }, { "id", true }, { "id", false }, { "type", true }, { "type", false }, { "comment", true }, { "field", true },
    };

    [Theory(Timeout = Until.Bound), MemberData(nameof(Attacks))]
    public async Task Server_ThatNeverEndsIt_IsLeftAtTheLimit(string attack, bool isLimited)
    {
        var (start, piece) = attack switch
        {
            "line" => ("data: ", new string('x', 1 << 16)),
            "event" => ("", string.Concat(Enumerable.Repeat("data: " + new string('x', 1000) + "\n", 64))),
            "id" => ("id: ", new string('x', 1 << 16)),
            "type" => ("event: ", new string('x', 1 << 16)),
            "comment" => (": ", new string('x', 1 << 16)),
            _ => ("", new string('y', 1 << 16)),
        };
        long sent = 0;
        await using var server = new RawServer(async (_, stream, stop) =>
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes(Head + start), stop);
            var bytes = Encoding.ASCII.GetBytes(piece);
            while (sent < Total)
            {
                await stream.WriteAsync(bytes, stop);
                sent += bytes.Length;
            }
        });
        var options = new ServerSentEventClientOptions
        {
            Reconnect = false,
            Parser = isLimited ? new() : new() { MaxLineLength = int.MaxValue, MaxEventLength = int.MaxValue, MaxIdLength = int.MaxValue, MaxEventTypeLength = int.MaxValue },
        };
        Exception? error = null;
        try
        {
            await foreach (var _ in new ServerSentEventClient(new HttpClient(), server.HttpUri(), options).ReadAllAsync(Until.Cancelled))
            {
            }
        }
        catch (Exception thrown) when (thrown is ServerSentEventLimitException or ServerSentEventClientException)
        {
            error = thrown;
        }

        void AssertHeld()
        {
            sent.Should().BeLessThan(Total, "it hangs up");
            error.Should().BeOfType<ServerSentEventLimitException>();
        }

        if (isLimited)
        {
            AssertHeld();
            return;
        }

        Proof.FailsWithoutTheLimit(AssertHeld);
        sent.Should().BeGreaterThanOrEqualTo(Total, "without the limit the client takes, and holds, what it is sent");
    }

    // Events without end, each within the limits, for a reader that takes one and then nothing: the server is not read ahead of it.
    [Fact(Timeout = Until.Bound)]
    public async Task Server_ThatFloodsASlowReader_IsNotReadAhead()
    {
        long sent = 0;
        await using var server = new RawServer(async (_, stream, stop) =>
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes(Head), stop);
            var chunk = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("data: x\n\n", 4000)));
            while (true)
            {
                await stream.WriteAsync(chunk, stop);
                Interlocked.Add(ref sent, chunk.Length);
            }
        });
        var before = RetainedMemory.Measure();
        await using var events = new ServerSentEventClient(new HttpClient(), server.HttpUri()).ReadAllAsync(Until.Cancelled).GetAsyncEnumerator(Until.Cancelled);
        (await events.MoveNextAsync()).Should().BeTrue();
        long last;
        do
        {
            last = Interlocked.Read(ref sent);
            await Task.Delay(300, Until.Cancelled);
        }
        while (Interlocked.Read(ref sent) != last);
        last.Should().BeLessThan(32 << 20, "the sockets hold some of it");
        RetainedMemory.Since(before).Should().BeLessThan(2 * RetainedMemory.MiB);
    }

    // A byte at a time, on the wire and off it: work that grows with the square of a line's length would not end here.
    [Fact(Timeout = Until.Bound)]
    public async Task Line_ByteByByte_TakesLinearTime()
    {
        var text = "data: " + new string('x', 250_000) + "\n" + "data: " + new string('y', 250_000) + "\n\n";
        await using var bytes = new OneByteStream(Encoding.ASCII.GetBytes(text));
        var items = new List<SseItem<string>>();
        await foreach (var item in ServerSentEventParser.ParseAsync(System.IO.Pipelines.PipeReader.Create(bytes), cancellationToken: Until.Cancelled))
            items.Add(item);
        items.Should().ContainSingle().Which.Data.Should().HaveLength(500_001);
    }

    // Neither headers nor redirects without end.
    [Fact(Timeout = Until.Bound)]
    public async Task Server_HeadersWithoutEnd_AreLeftAtTheLimit()
    {
        long sent = 0;
        await using var server = new RawServer(async (_, stream, stop) =>
        {
            await stream.WriteAsync("HTTP/1.1 200 OK\r\n"u8.ToArray(), stop);
            var line = Encoding.ASCII.GetBytes($"X-Header: {new string('x', 1000)}\r\n");
            while (Interlocked.Add(ref sent, line.Length) < Total)
                await stream.WriteAsync(line, stop);
        });
        await using var client = new ServerSentEventClient(server.HttpUri(), new ServerSentEventClientOptions { Reconnect = false });
        await FluentActions.Awaiting(async () => await client.ReadAllAsync(Until.Cancelled).GetAsyncEnumerator(Until.Cancelled).MoveNextAsync()).Should().ThrowAsync<ServerSentEventClientException>();
        Interlocked.Read(ref sent).Should().BeLessThan(8 << 20);
    }

    private sealed class OneByteStream(byte[] bytes) : Stream
    {
        private int _next;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            if (_next == bytes.Length)
                return 0;
            buffer[offset] = bytes[_next++];
            return 1;
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_next == bytes.Length)
                return new(0);
            buffer.Span[0] = bytes[_next++];
            return new(1);
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
