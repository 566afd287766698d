namespace RealtimeKit.ServerSentEvents.Tests;

public sealed class UnknownFieldLimitTests
{
    // Found by fuzzing: a line to be ignored, followed by an empty one, was passed over whole without a look at its length.
    [Theory]
    [InlineData(100, ServerSentEventLimit.None)]
    [InlineData(101, ServerSentEventLimit.MaxLineLength)]
    public void TryRead_LongLineOfUnknownField_IsLimitedLikeAnyOther(int length, ServerSentEventLimit limit)
    {
        using var assembler = new ServerSentEventAssembler(new ServerSentEventParserOptions { MaxLineLength = 100 });
        ReadOnlySpan<byte> input = System.Text.Encoding.ASCII.GetBytes($"{new string('x', length)}\n\ndata: a\n\n{new string(' ', 100)}");
        while (assembler.TryRead(ref input, out _))
        {
        }

        assembler.Limit.Should().Be(limit);
    }
}
