using System.Text;

namespace RealtimeKit.WebSockets.Tests;

public class WebSocketKeyTests
{
    // RFC 6455 §1.3
    private const string SampleKey = "dGhlIHNhbXBsZSBub25jZQ==";
    private const string SampleAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

    [Fact]
    public void ComputeAccept_RfcExample_GivesItsValue() => WebSocketKey.ComputeAccept(SampleKey).Should().Be(SampleAccept);

    [Fact]
    public void TryComputeAccept_Bytes_GivesTheSameValue()
    {
        Span<byte> accept = stackalloc byte[WebSocketKey.AcceptLength];
        WebSocketKey.TryComputeAccept(Encoding.ASCII.GetBytes(SampleKey), accept, out var written).Should().BeTrue();
        written.Should().Be(28);
        Encoding.ASCII.GetString(accept).Should().Be(SampleAccept);
    }

    [Fact]
    public void TryComputeAccept_ShortDestination_WritesNothing()
    {
        WebSocketKey.TryComputeAccept(SampleKey, new char[27], out var chars).Should().BeFalse();
        chars.Should().Be(0);
        WebSocketKey.TryComputeAccept(Encoding.ASCII.GetBytes(SampleKey), new byte[27], out var bytes).Should().BeFalse();
        bytes.Should().Be(0);
    }

    // RFC 6455 §4.2.1 item 5: base64 that decodes to 16 bytes
    [Theory]
    [InlineData(SampleKey, true)]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAA==", true)]
    [InlineData("//////////++++++++++/Q==", true)]
    [InlineData("", false)]
    [InlineData("==", false)]
    [InlineData("dGhlIHNhbXBsZSBub25jZQ=", false)]
    [InlineData("dGhlIHNhbXBsZSBub25jZQ", false)]
    [InlineData("dGhlIHNhbXBsZSBub25jZQAA", false)] // 18 bytes
    [InlineData("dGhlIHNhbXBsZSBub25jZQA=", false)] // 17 bytes
    [InlineData("dGhlIHNhbXBsZSBub25j====", false)]
    [InlineData("dGhlIHNhbXBsZSBub25jZ===", false)]
    [InlineData("dGhlIHNhbXBsZSBub25jZQ==A", false)]
    [InlineData(" GhlIHNhbXBsZSBub25jZQ==", false)]
    [InlineData("dGhlIHNhbXBsZSBub2-_ZQ==", false)] // the URL alphabet
    [InlineData("dGhlIHNhbXBsZSBub25jZé==", false)]
    [InlineData("dGhlIHNhbXBs\0SBub25jZQ==", false)]
    public void IsValid_Value_TellsBase64Of16Bytes(string key, bool expected)
    {
        WebSocketKey.IsValid(key).Should().Be(expected);
        WebSocketKey.IsValid(Encoding.Latin1.GetBytes(key)).Should().Be(expected);
        WebSocketKey.TryComputeAccept(key, new char[28], out _).Should().Be(expected);
        WebSocketKey.TryComputeAccept(Encoding.Latin1.GetBytes(key), new byte[28], out _).Should().Be(expected);
    }

    [Fact]
    public void ComputeAccept_InvalidKey_Throws() =>
        FluentActions.Invoking(() => WebSocketKey.ComputeAccept("nonsense")).Should().Throw<ArgumentException>();

    [Fact]
    public void Create_TwoKeys_AreValidAndDiffer()
    {
        var key = WebSocketKey.Create();
        WebSocketKey.IsValid(key).Should().BeTrue();
        WebSocketKey.Create().Should().NotBe(key);
    }

    [Theory]
    [InlineData(SampleAccept, true)]
    [InlineData("s3pPLMBiTxaQ9kYGzzhZRbK+xOO=", false)]
    [InlineData("S3PPLMBITXAQ9KYGZZHZRBK+XOO=", false)]
    [InlineData("", false)]
    public void IsAcceptOf_Value_ComparesWithCase(string accept, bool expected) =>
        WebSocketKey.IsAcceptOf(accept, SampleKey).Should().Be(expected);

    [Fact]
    public void TryComputeAccept_Steady_AllocatesNothing()
    {
        var key = Encoding.ASCII.GetBytes(SampleKey);
        var bytes = new byte[WebSocketKey.AcceptLength];
        var chars = new char[WebSocketKey.AcceptLength];
        long before = 0;
        for (var i = 0; i < 200; i++)
        {
            if (i == 100)
                before = GC.GetAllocatedBytesForCurrentThread();
            WebSocketKey.TryComputeAccept(key, bytes, out _);
            WebSocketKey.TryComputeAccept(SampleKey, chars, out _);
        }
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().Be(0);
    }
}
