using System.Text;

namespace RealtimeKit.Topics.Tests.Endpoints;

public sealed class WebPubSubRequestReaderTests
{
    // Found by fuzzing: comparing a name or a value with a lone surrogate throws, and the reader promises not to.
    [Theory]
    [InlineData("""{"\udaaa":1}""")]
    [InlineData("""{"type":"\udaaa"}""")]
    [InlineData("""{"type":"sendToGroup","group":"g","dataType":"\udaaa","data":1}""")]
    [InlineData("""{"type":"sendToGroup","group":"g","dataType":"binary","data":"\udaaa"}""")]
    public void TryRead_LoneSurrogate_Refused(string json) =>
        WebPubSubRequestReader.TryRead(Encoding.UTF8.GetBytes(json), out _).Should().BeFalse();
}
