using System.Buffers;
using System.Text;

namespace RealtimeKit.ServerSentEvents.Tests;

public class ParserAllocationTests
{
    [Theory]
    [InlineData("data: {\"t\":\"ab\"}\n\n", 0)]
    [InlineData("event: tick\r\nid: 12\r\nretry: 10\r\ndata: a\r\ndata: b\r\n\r\n", 0)]
    [InlineData("event: tick\nid: 12\nretry: 10\ndata: a\ndata: b\n: c\n\n", 1)]
    [InlineData("event: tick\nid: 12\nretry: 10\ndata: a\ndata: b\n: c\n\n", 13)]
    public void TryRead_WarmedUp_AllocatesNothing(string one, int segmentSize)
    {
        var stream = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(one, 200)));
        var sequence = segmentSize == 0 ? new ReadOnlySequence<byte>(stream) : Sequences.Cut(stream, segmentSize);
        using var assembler = new ServerSentEventAssembler();
        for (var round = 0; round < 50; round++)
            Count(assembler, sequence).Should().Be(200);

        var before = GC.GetAllocatedBytesForCurrentThread();
        var events = Count(assembler, sequence);
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().Be(0);
        events.Should().Be(200);
    }

    private static int Count(ServerSentEventAssembler assembler, ReadOnlySequence<byte> input)
    {
        var events = 0;
        while (assembler.TryRead(ref input, out _))
            events++;
        return events;
    }
}
