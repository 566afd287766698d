using System.Buffers;
using System.Text;

namespace RealtimeKit.ServerSentEvents.Tests;

/// <summary>Streams that are made to fill memory or to burn time.</summary>
public class HostileStreamTests
{
    private static readonly ServerSentEventParserOptions Small = new() { MaxLineLength = 100, MaxEventLength = 150, MaxEventTypeLength = 10, MaxIdLength = 10 };

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1000)]
    public void TryRead_EndlessLine_BreaksTheLineLimit(int blockSize) =>
        LimitOf(Repeat("data: ", "x", 1000), blockSize).Should().Be(ServerSentEventLimit.MaxLineLength);

    // WHATWG HTML §9.2.5: a leading byte order mark is no part of the stream, wherever the input is cut.
    [Theory]
    [InlineData("\uFEFF", 100, ServerSentEventLimit.None)]
    [InlineData("\uFEFF", 101, ServerSentEventLimit.MaxLineLength)]
    [InlineData("\uFEFF\uFEFF", 97, ServerSentEventLimit.None)]
    [InlineData("\uFEFF\uFEFF", 98, ServerSentEventLimit.MaxLineLength)]
    [InlineData("", 101, ServerSentEventLimit.MaxLineLength)]
    [InlineData("\n\uFEFF", 98, ServerSentEventLimit.MaxLineLength)]
    public void TryRead_ByteOrderMark_IsNoPartOfALine(string start, int length, ServerSentEventLimit expected)
    {
        foreach (var end in (string[])["\n", "\r\n", ""])
        {
            var stream = start + new string('x', length) + end;
            for (var blockSize = 1; blockSize <= Encoding.UTF8.GetByteCount(stream); blockSize++)
                LimitOf(stream, blockSize).Should().Be(expected, "of blocks of {0}", blockSize);
            LimitOf(stream + "\n\ndata: x\n\n" + new string('\n', 100), 10_000).Should().Be(expected);
            var reader = new ServerSentEventReader(Sequences.Cut(Encoding.UTF8.GetBytes(stream), 1), new ServerSentEventReaderState(100));
            while (reader.Read() == ServerSentEventToken.Dispatch)
            {
            }

            reader.Token.Should().Be(expected == ServerSentEventLimit.None ? ServerSentEventToken.NeedMoreData : ServerSentEventToken.Invalid);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(10_000)]
    public void TryRead_EndlessEvent_BreaksTheEventLimit(int blockSize) =>
        LimitOf(Repeat("", "data: 0123456789\n", 100), blockSize).Should().Be(ServerSentEventLimit.MaxEventLength);

    [Theory]
    [InlineData("data\n", 151, ServerSentEventLimit.None)]
    [InlineData("data\n", 152, ServerSentEventLimit.MaxEventLength)]
    [InlineData("data: 23456789\n", 16, ServerSentEventLimit.None)]
    [InlineData("data: 23456789\n", 17, ServerSentEventLimit.MaxEventLength)]
    public void TryRead_EventLimit_CountsDataWithItsLineFeeds(string line, int count, ServerSentEventLimit expected) =>
        LimitOf(Repeat("", line, count) + "\n", 33).Should().Be(expected);

    [Theory]
    [InlineData("event: 0123456789\n", ServerSentEventLimit.None)]
    [InlineData("event: 0123456789a\n", ServerSentEventLimit.MaxEventTypeLength)]
    [InlineData("id: 0123456789\n", ServerSentEventLimit.None)]
    [InlineData("id: 0123456789a\n", ServerSentEventLimit.MaxIdLength)]
    public void TryRead_LongName_BreaksItsLimit(string stream, ServerSentEventLimit expected)
    {
        LimitOf(stream, 1).Should().Be(expected);
        LimitOf(stream + "data: x\n\n" + new string('\n', 100), 10_000).Should().Be(expected);
        LimitOf("\n" + stream + "data: x\n\n" + new string('\n', 100), 10_000).Should().Be(expected);
    }

    [Fact]
    public void TryRead_AfterALimit_GivesNothingMore()
    {
        using var assembler = new ServerSentEventAssembler(Small);
        ReadOnlySpan<byte> input = Encoding.UTF8.GetBytes(new string('x', 101) + "\ndata: a\n\n");

        assembler.TryRead(ref input, out _).Should().BeFalse();
        input = "data: b\n\n"u8;
        assembler.TryRead(ref input, out _).Should().BeFalse();
        var thrown = assembler.Invoking(static a => a.ThrowIfLimitExceeded()).Should().Throw<ServerSentEventLimitException>().Which;
        thrown.Limit.Should().Be(ServerSentEventLimit.MaxLineLength);
        thrown.Maximum.Should().Be(100);
        thrown.Message.Should().NotContain("xxx");
    }

    [Fact]
    public void TryRead_FloodsWithoutEvents_HoldNothing()
    {
        foreach (var flood in new[] { ": comment\n", "id: 123\n", "event: x\n", "retry: 99999999999999999999\n", "unknown: field\n", "id: 1\n\n", "\n" })
        {
            using var assembler = new ServerSentEventAssembler();
            var block = Encoding.UTF8.GetBytes(Repeat("", flood, 1000));
            Feed(assembler, block);
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var round = 0; round < 100; round++)
                Feed(assembler, block);
            (GC.GetAllocatedBytesForCurrentThread() - before).Should().Be(0, flood);
            assembler.Limit.Should().Be(ServerSentEventLimit.None);
        }
    }

    [Fact]
    public void TryRead_TenMillionComments_GivesTheEventAfterThem()
    {
        using var assembler = new ServerSentEventAssembler();
        var block = Encoding.UTF8.GetBytes(Repeat("", ":\n", 10_000));
        for (var round = 0; round < 1_000; round++)
            Feed(assembler, block).Should().Be(0);

        Feed(assembler, "data: x\n\n"u8).Should().Be(1);
    }

    [Fact]
    public void TryRead_InvalidUtf8_BecomesReplacementCharactersInText()
    {
        byte[] stream = [.. "event: \xFF"u8[..7], 0xFF, (byte)'\n', .. "data: "u8, 0xC3, (byte)'\n', .. "data: "u8, 0xA9, (byte)'\n', (byte)'\n'];

        var item = ParserHarness.Assemble([stream]).Items.Should().ContainSingle().Which;

        item.EventType.Should().Be("\uFFFD");
        item.Data.Should().Be("\uFFFD\n\uFFFD");
    }

    /// <summary>A parser that goes back over what it has seen would need hours for this; one that does not, well under a second.</summary>
    [Theory]
    [InlineData(1, 0)]
    [InlineData(16 * 1024, 1)]
    public void TryRead_MebibytesInSingleBytes_ComesToAnEnd(int blockSize, int segmentSize)
    {
        var stream = Encoding.UTF8.GetBytes("data: " + new string('x', 8 << 20) + "\n\n");
        using var assembler = new ServerSentEventAssembler(new() { MaxLineLength = stream.Length, MaxEventLength = stream.Length });
        var events = 0;
        for (var start = 0; start < stream.Length; start += blockSize)
        {
            var block = stream.AsMemory(start, Math.Min(blockSize, stream.Length - start));
            var input = segmentSize == 0 ? new ReadOnlySequence<byte>(block) : Sequences.Cut(block, segmentSize);
            while (assembler.TryRead(ref input, out var item))
            {
                events++;
                item.Data.Length.Should().Be(8 << 20);
            }
        }

        events.Should().Be(1);
    }

    private static int Feed(ServerSentEventAssembler assembler, ReadOnlySpan<byte> block)
    {
        var events = 0;
        while (assembler.TryRead(ref block, out _))
            events++;
        return events;
    }

    private static ServerSentEventLimit LimitOf(string stream, int blockSize)
    {
        using var assembler = new ServerSentEventAssembler(Small);
        var bytes = Encoding.UTF8.GetBytes(stream);
        for (var start = 0; start < bytes.Length; start += blockSize)
            Feed(assembler, bytes.AsSpan(start, Math.Min(blockSize, bytes.Length - start)));
        return assembler.Limit;
    }

    private static string Repeat(string prefix, string text, int count) => prefix + string.Concat(Enumerable.Repeat(text, count));
}
