using System.Text;

namespace RealtimeKit.ServerSentEvents.Tests;

public class ServerSentEventReaderTests
{
    [Fact]
    public void Read_FullEvent_GivesItsTokensInOrder()
    {
        var tokens = ParserHarness.ReadTokens(": hi\nevent: tick\nid: 1\nretry: 5\ndata: a\ndata:b\n\nunknown: x\n\n"u8, int.MaxValue / 2, 0);

        tokens.Should().Equal("Comment:hi", "EventType:tick", "Id:1", "Retry:5", "Data:a", "Data:b", "Dispatch:", "Dispatch:");
    }

    [Fact]
    public void Read_AnyBlocksAndSegments_GivesTheSameTokens()
    {
        for (var seed = 0; seed < 1_000; seed++)
        {
            var stream = RandomStreams.Create(seed);
            var random = new Random(seed);
            var expected = ParserHarness.ReadTokens(stream, stream.Length, 0);
            foreach (var (block, segment) in new[] { (1, 0), (1, 1), (random.Next(1, 50), 0), (random.Next(1, 50), random.Next(1, 20)), (stream.Length, random.Next(1, 20)) })
            {
                var actual = ParserHarness.ReadTokens(stream, block, segment);
                if (!actual.SequenceEqual(expected))
                    actual.Should().Equal(expected, "seed {0}, blocks of {1}, segments of {2}", seed, block, segment);
            }
        }
    }

    [Fact]
    public void Read_RandomStreams_GivesTheDataOfTheStandardsText()
    {
        for (var seed = 0; seed < 1_000; seed++)
        {
            var stream = RandomStreams.Create(seed);
            var expected = ReferenceParser.Parse(stream).Items.Where(item => item.Kind is "comment" or "retry").Select(item => item.Data);

            var actual = ParserHarness.ReadTokens(stream, stream.Length, 0)
                .Where(token => token.StartsWith("Comment:", StringComparison.Ordinal) || token.StartsWith("Retry:", StringComparison.Ordinal))
                .Select(token => Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(token[(token.IndexOf(':') + 1)..])));

            actual.Should().Equal(expected, "seed {0}", seed);
        }
    }

    [Theory]
    [InlineData("retry: 3000\n", 0)]
    [InlineData("retry: 3000\n", 2)]
    public void GetReconnectionTime_RetryToken_GivesMilliseconds(string stream, int segmentSize)
    {
        var bytes = Encoding.UTF8.GetBytes(stream);
        var reader = segmentSize == 0
            ? new ServerSentEventReader(bytes, new ServerSentEventReaderState(100))
            : new ServerSentEventReader(Sequences.Cut(bytes, segmentSize), new ServerSentEventReaderState(100));

        reader.Read().Should().Be(ServerSentEventToken.Retry);
        reader.GetReconnectionTime().Should().Be(TimeSpan.FromSeconds(3));
    }

    [Theory]
    [InlineData(10, 0, ServerSentEventToken.Data)]
    [InlineData(11, 0, ServerSentEventToken.Invalid)]
    [InlineData(10, 3, ServerSentEventToken.Data)]
    [InlineData(11, 3, ServerSentEventToken.Invalid)]
    public void Read_LineLimit_CountsBytesBeforeTheEnd(int length, int segmentSize, ServerSentEventToken expected)
    {
        var line = Encoding.UTF8.GetBytes("data:" + new string('x', length - 5) + "\n");
        var state = new ServerSentEventReaderState(10);
        var reader = segmentSize == 0 ? new ServerSentEventReader(line, state) : new ServerSentEventReader(Sequences.Cut(line, segmentSize), state);

        reader.Read().Should().Be(expected);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void Read_EndlessLine_IsInvalidBeforeItsEndArrives(int segmentSize)
    {
        var start = "data:0123456789"u8.ToArray();
        var state = new ServerSentEventReaderState(10);
        var reader = segmentSize == 0 ? new ServerSentEventReader(start, state) : new ServerSentEventReader(Sequences.Cut(start, segmentSize), state);

        reader.Read().Should().Be(ServerSentEventToken.Invalid);
        reader.Read().Should().Be(ServerSentEventToken.Invalid);
    }
}
