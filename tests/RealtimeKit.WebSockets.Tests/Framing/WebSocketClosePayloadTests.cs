using System.Buffers.Binary;
using System.Net.WebSockets;
using System.Text;

namespace RealtimeKit.WebSockets.Tests.Framing;

public class WebSocketClosePayloadTests
{
    // RFC 6455 §7.4.1, §7.4.2 and IANA's registry (1012–1014), over every value of the two bytes.
    [Fact]
    public void Read_EveryCode_AllowsThoseOfTheRfc()
    {
        Span<byte> payload = stackalloc byte[2];
        for (var code = 0; code <= ushort.MaxValue; code++)
        {
            BinaryPrimitives.WriteUInt16BigEndian(payload, (ushort)code);
            var allowed = code switch
            {
                < 1000 => false,
                1004 or 1005 or 1006 or 1015 => false,
                <= 1014 => true,
                < 3000 => false,
                < 5000 => true,
                _ => false,
            };
            var error = WebSocketClosePayload.Read(payload, out var close);
            if (error != (allowed ? WebSocketProtocolError.None : WebSocketProtocolError.CloseCodeInvalid))
                Assert.Fail($"{code}: {error}");
            if (close.Status != (allowed ? (WebSocketCloseStatus)code : null) || close.Reason.Length != 0)
                Assert.Fail($"{code}: {close.Status}");
        }
    }

    // RFC 6455 §5.5.1: "If there is a body, the first two bytes of the body MUST be" the code.
    [Fact]
    public void Read_LengthZeroAndOne_AreNothingAndAnError()
    {
        WebSocketClosePayload.Read([], out var close).Should().Be(WebSocketProtocolError.None);
        close.Status.Should().BeNull();
        close.GetReason().Should().BeEmpty();
        WebSocketClosePayload.Read([3], out _).Should().Be(WebSocketProtocolError.CloseLengthOne);
    }

    [Fact]
    public void Read_Reason_IsGivenUpTo123Bytes()
    {
        WebSocketClosePayload.Read([3, 232, .. "au revoir ☺"u8], out var close).Should().Be(WebSocketProtocolError.None);
        close.Status.Should().Be(WebSocketCloseStatus.NormalClosure);
        close.GetReason().Should().Be("au revoir ☺");

        byte[] longest = [3, 232, .. Enumerable.Repeat((byte)'x', 123)];
        WebSocketClosePayload.Read(longest, out close).Should().Be(WebSocketProtocolError.None);
        close.Reason.Length.Should().Be(WebSocketClosePayload.MaxReasonLength);
        WebSocketClosePayload.Read([.. longest, (byte)'x'], out _).Should().Be(WebSocketProtocolError.ControlTooLong);
    }

    // RFC 6455 §8.1
    [Theory]
    [InlineData("C0")]
    [InlineData("E282")]
    [InlineData("EDA080")]
    [InlineData("F4908080")]
    [InlineData("6F6BCEBAE1BDB9CF83CEBCCEB5EDA080")]
    public void Read_ReasonNotUtf8_IsAnError(string hex) =>
        WebSocketClosePayload.Read([3, 232, .. Convert.FromHexString(hex)], out _).Should().Be(WebSocketProtocolError.CloseReasonInvalidUtf8);

    [Theory]
    [InlineData(1000, "")]
    [InlineData(1001, "going away")]
    [InlineData(4999, "aé界😀")]
    public void Write_ThenRead_IsTheSame(int code, string reason)
    {
        var payload = new byte[WebSocketClosePayload.MaxLength];
        var length = WebSocketClosePayload.Write(payload, (WebSocketCloseStatus)code, reason);
        length.Should().Be(2 + Encoding.UTF8.GetByteCount(reason));
        WebSocketClosePayload.Read(payload.AsSpan(0, length), out var close).Should().Be(WebSocketProtocolError.None);
        close.Status.Should().Be((WebSocketCloseStatus)code);
        close.GetReason().Should().Be(reason);
    }

    [Fact]
    public void Write_ReasonOf123And124Bytes_FitsAndThrows()
    {
        var payload = new byte[200];
        WebSocketClosePayload.Write(payload, WebSocketCloseStatus.NormalClosure, new string('x', 123)).Should().Be(125);
        WebSocketClosePayload.Write(payload, WebSocketCloseStatus.NormalClosure, new string('界', 41)).Should().Be(125);
        var longer = () => WebSocketClosePayload.Write(payload, WebSocketCloseStatus.NormalClosure, new string('x', 124));
        var wider = () => WebSocketClosePayload.Write(payload, WebSocketCloseStatus.NormalClosure, new string('x', 122) + "é");
        longer.Should().Throw<ArgumentException>().WithParameterName("reason");
        wider.Should().Throw<ArgumentException>().WithParameterName("reason");
    }

    [Fact]
    public void Write_DestinationTooShort_Throws()
    {
        var write = () => WebSocketClosePayload.Write(new byte[4], WebSocketCloseStatus.NormalClosure, "abc");
        write.Should().Throw<ArgumentException>().WithParameterName("destination");
        WebSocketClosePayload.Write(new byte[5], WebSocketCloseStatus.NormalClosure, "abc").Should().Be(5);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(999)]
    [InlineData(1005)]
    [InlineData(1006)]
    [InlineData(1015)]
    [InlineData(2999)]
    [InlineData(5000)]
    [InlineData(-1)]
    [InlineData(65536 + 1000)]
    public void Write_CodeNotForTheWire_Throws(int code)
    {
        var write = () => WebSocketClosePayload.Write(new byte[125], (WebSocketCloseStatus)code, "");
        write.Should().Throw<ArgumentOutOfRangeException>().WithParameterName("status");
    }

    [Fact]
    public void Write_UnpairedSurrogate_BecomesTheReplacementCharacter()
    {
        var payload = new byte[125];
        var length = WebSocketClosePayload.Write(payload, WebSocketCloseStatus.NormalClosure, "a\uD800b");
        WebSocketClosePayload.Read(payload.AsSpan(0, length), out var close).Should().Be(WebSocketProtocolError.None);
        close.GetReason().Should().Be("a\uFFFDb");
    }

    // RFC 6455 §7.4.2
    [Theory]
    [InlineData(999, false, false, false)]
    [InlineData(1000, true, false, false)]
    [InlineData(2999, true, false, false)]
    [InlineData(3000, false, true, false)]
    [InlineData(3999, false, true, false)]
    [InlineData(4000, false, false, true)]
    [InlineData(4999, false, false, true)]
    [InlineData(5000, false, false, false)]
    public void Ranges_Code_AreThoseOfTheRfc(int code, bool protocol, bool library, bool application)
    {
        var status = (WebSocketCloseStatus)code;
        (status.IsProtocolDefined(), status.IsLibraryDefined(), status.IsApplicationDefined()).Should().Be((protocol, library, application));
    }
}
