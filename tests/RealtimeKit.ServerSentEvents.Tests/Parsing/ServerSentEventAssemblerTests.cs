using System.Buffers;
using System.Text;

namespace RealtimeKit.ServerSentEvents.Tests;

public class ServerSentEventAssemblerTests
{
    [Theory]
    [MemberData(nameof(StandardExamples.All), MemberType = typeof(StandardExamples))]
    public void TryRead_StandardExample_GivesWhatTheStandardSays(string stream, ParsedItem[] expected)
    {
        var bytes = Encoding.UTF8.GetBytes(stream);

        ReferenceParser.Parse(bytes).Items.Should().Equal(expected, "the oracle itself has to agree");
        ParserHarness.Assemble([bytes]).Items.Should().Equal(expected);
    }

    [Theory]
    [MemberData(nameof(StandardExamples.All), MemberType = typeof(StandardExamples))]
    public void TryRead_EverySplitInTwo_GivesTheSame(string stream, ParsedItem[] expected)
    {
        ReadOnlyMemory<byte> bytes = Encoding.UTF8.GetBytes(stream);
        for (var cut = 0; cut <= bytes.Length; cut++)
            ParserHarness.Assemble([bytes[..cut], bytes[cut..]]).Items.Should().Equal(expected, "cut at {0}", cut);
    }

    [Theory]
    [MemberData(nameof(StandardExamples.All), MemberType = typeof(StandardExamples))]
    public void TryRead_EverySplitInThree_GivesTheSame(string stream, ParsedItem[] expected)
    {
        ReadOnlyMemory<byte> bytes = Encoding.UTF8.GetBytes(stream);
        if (bytes.Length > 60)
            return;
        for (var first = 0; first <= bytes.Length; first++)
        {
            for (var second = first; second <= bytes.Length; second++)
            {
                var items = ParserHarness.Assemble([bytes[..first], bytes[first..second], bytes[second..]]).Items;
                if (!items.SequenceEqual(expected))
                    items.Should().Equal(expected, "cut at {0} and {1}", first, second);
            }
        }
    }

    [Theory]
    [MemberData(nameof(StandardExamples.All), MemberType = typeof(StandardExamples))]
    public void TryRead_SegmentsOfEverySize_GivesTheSame(string stream, ParsedItem[] expected)
    {
        var bytes = Encoding.UTF8.GetBytes(stream);
        for (var size = 1; size <= 9; size++)
            ParserHarness.Assemble(Sequences.Cut(bytes, size)).Items.Should().Equal(expected, "segments of {0}", size);
    }

    [Fact]
    public void TryRead_RandomStreamsInRandomBlocks_AgreesWithTheStandardsText()
    {
        for (var seed = 0; seed < 5_000; seed++)
        {
            byte[] stream = [.. RandomStreams.Create(seed), .. "\n\n"u8, .. RandomStreams.Create(-seed - 1)];
            var (items, lastEventId) = ReferenceParser.Parse(stream);
            var random = new Random(seed);
            var blocks = RandomStreams.Split(stream, random);

            Check(ParserHarness.Assemble([stream]), "whole");
            Check(ParserHarness.Assemble(blocks), "blocks");
            Check(ParserHarness.Assemble(Sequences.Join(blocks)), "segments");

            // Without comments and retry fields another path reads most events.
            items = ReferenceParser.Parse(stream, comments: false, retries: false).Items;
            Check(ParserHarness.Assemble([stream], ParserHarness.EventsOnly), "whole, events only");
            Check(ParserHarness.Assemble(blocks, ParserHarness.EventsOnly), "blocks, events only");

            void Check((List<ParsedItem> Items, string LastEventId) actual, string how)
            {
                if (actual.LastEventId != lastEventId || !actual.Items.SequenceEqual(items))
                {
                    actual.Items.Should().Equal(items, "seed {0}, {1}", seed, how);
                    actual.LastEventId.Should().Be(lastEventId, "seed {0}, {1}", seed, how);
                }
            }
        }
    }

    [Theory]
    [InlineData("data: x\n\n")]
    [InlineData("data: x\r\r")]
    [InlineData("data: x\r\n\r")]
    [InlineData("data: x\n\r")]
    public void TryRead_LastByteOfTheBlankLine_GivesTheEventWithoutWaiting(string stream)
    {
        using var assembler = new ServerSentEventAssembler();
        foreach (var (index, value) in Encoding.UTF8.GetBytes(stream).Index())
        {
            ReadOnlySpan<byte> input = [value];
            assembler.TryRead(ref input, out _).Should().Be(index == stream.Length - 1);
        }
    }

    [Fact]
    public void TryRead_BlocksOfManyEvents_AgreesWithTheStandardsText()
    {
        for (var seed = 0; seed < 5_000; seed++)
        {
            var stream = RandomStreams.CreateEvents(seed);
            var (items, lastEventId) = ReferenceParser.Parse(stream, comments: false, retries: false);
            var blocks = RandomStreams.Split(stream, new Random(seed), most: 1_000);

            Check(ParserHarness.Assemble([stream], ParserHarness.EventsOnly), "whole");
            Check(ParserHarness.Assemble(blocks, ParserHarness.EventsOnly), "blocks");
            Check(ParserHarness.Assemble(Sequences.Join(blocks), ParserHarness.EventsOnly), "segments");

            void Check((List<ParsedItem> Items, string LastEventId) actual, string how)
            {
                if (actual.LastEventId != lastEventId || !actual.Items.SequenceEqual(items))
                {
                    actual.Items.Should().Equal(items, "seed {0}, {1}", seed, how);
                    actual.LastEventId.Should().Be(lastEventId, "seed {0}, {1}", seed, how);
                }
            }
        }
    }

    [Theory]
    [InlineData("retry: 3000", "retry: \0300", 3000)]
    [InlineData("retry: 300", "retry: \0300", 300)]
    [InlineData("retry: 300", "retry: 0300", 300)]
    [InlineData("retry: 300", "retry: 3000", 3000)]
    [InlineData("retry: 300", "retry: \0\0\0", 300)]
    [InlineData("retry: 300", "retry: 12345678901", 12345678901)]
    public void TryRead_RetryAfterRetry_IsTheLastValidOne(string first, string second, long expected)
    {
        using var assembler = new ServerSentEventAssembler();
        foreach (var retry in new[] { "", "data: the first is read apart\n\n" + first, first, second })
        {
            ReadOnlySpan<byte> input = Encoding.UTF8.GetBytes($"{retry}\ndata: {new string('x', 80)}\n\n");
            while (assembler.TryRead(ref input, out _))
            {
            }
        }

        assembler.ReconnectionTime.Should().Be(TimeSpan.FromMilliseconds(expected));
    }

    [Fact]
    public void TryRead_EventInOneBlock_ShowsItInPlace()
    {
        using var assembler = new ServerSentEventAssembler();
        var stream = "data: first\n\ndata: second\n\n"u8.ToArray();
        ReadOnlySpan<byte> input = stream;

        assembler.TryRead(ref input, out var item).Should().BeTrue();

        item.Data.Overlaps(stream, out var offset).Should().BeTrue();
        offset.Should().Be(-6);
        Encoding.UTF8.GetString(input).Should().Be("data: second\n\n");
    }

    [Fact]
    public void TryRead_RetryTooLarge_Saturates()
    {
        using var assembler = new ServerSentEventAssembler();
        ReadOnlySpan<byte> input = "retry: 99999999999999999999999999\n"u8;

        assembler.TryRead(ref input, out _).Should().BeFalse();

        assembler.ReconnectionTime.Should().Be(TimeSpan.MaxValue);
    }

    [Fact]
    public void Reset_AfterUnfinishedEvent_KeepsOnlyWhatAReconnectKeeps()
    {
        using var assembler = new ServerSentEventAssembler();
        ReadOnlySpan<byte> input = "retry: 5\nid: 1\ndata: a\n\nid: 2\ndata: lost\r"u8;
        while (assembler.TryRead(ref input, out _))
        {
        }

        assembler.Reset();
        input = "\uFEFFdata: b\n\n"u8;

        assembler.TryRead(ref input, out var item).Should().BeTrue();
        Encoding.UTF8.GetString(item.Data).Should().Be("b");
        Encoding.UTF8.GetString(item.LastEventId).Should().Be("1");
        assembler.ReconnectionTime.Should().Be(TimeSpan.FromMilliseconds(5));
    }
}
