namespace RealtimeKit.Topics.Tests.Logs;

public sealed class TopicPositionTests
{
    // Found by fuzzing: the BCL's number parsing overlooks NUL behind the digits, so that one position had several text forms.
    [Theory]
    [InlineData("0-1\0")]
    [InlineData("0\0-1")]
    [InlineData("1-1\0\0")]
    public void TryParse_NulBehindNumber_Refused(string text) =>
        TopicPosition.TryParse(text, out _).Should().BeFalse();
}
