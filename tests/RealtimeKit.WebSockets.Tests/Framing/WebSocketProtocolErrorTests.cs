using System.Net.WebSockets;

namespace RealtimeKit.WebSockets.Tests.Framing;

public class WebSocketProtocolErrorTests
{
    public static TheoryData<WebSocketProtocolError> Errors => [.. Enum.GetValues<WebSocketProtocolError>().Where(e => e != WebSocketProtocolError.None)];

    [Theory]
    [MemberData(nameof(Errors))]
    public void GetDescription_EveryError_NamesItsClause(WebSocketProtocolError error) =>
        error.GetDescription().Should().MatchRegex(@"^RFC \d{4} §\d+(\.\d+)*: .+\.$");

    [Fact]
    public void GetDescription_EveryError_IsItsOwnAndConstant()
    {
        Enum.GetValues<WebSocketProtocolError>().Select(e => e.GetDescription()).Should().OnlyHaveUniqueItems();
        WebSocketProtocolError.ReservedBit.GetDescription().Should().BeSameAs(WebSocketProtocolError.ReservedBit.GetDescription());
    }

    [Theory]
    [MemberData(nameof(Errors))]
    public void GetCloseStatus_EveryError_IsACodeForViolations(WebSocketProtocolError error) =>
        ((int)error.GetCloseStatus()).Should().BeOneOf(1002, 1006, 1007, 1008, 1009);

    // RFC 6455 §7.4.1
    [Theory]
    [InlineData(WebSocketProtocolError.ReservedBit, WebSocketCloseStatus.ProtocolError)]
    [InlineData(WebSocketProtocolError.CloseCodeInvalid, WebSocketCloseStatus.ProtocolError)]
    [InlineData(WebSocketProtocolError.LengthOverflow, WebSocketCloseStatus.ProtocolError)]
    [InlineData(WebSocketProtocolError.InvalidUtf8, WebSocketCloseStatus.InvalidPayloadData)]
    [InlineData(WebSocketProtocolError.CloseReasonInvalidUtf8, WebSocketCloseStatus.InvalidPayloadData)]
    [InlineData(WebSocketProtocolError.MessageTooBig, WebSocketCloseStatus.MessageTooBig)]
    [InlineData(WebSocketProtocolError.ControlRateExceeded, WebSocketCloseStatus.PolicyViolation)]
    [InlineData(WebSocketProtocolError.UnexpectedEndOfStream, (WebSocketCloseStatus)1006)]
    [InlineData(WebSocketProtocolError.None, WebSocketCloseStatus.NormalClosure)]
    public void GetCloseStatus_Error_IsTheCodeOfTheRfc(WebSocketProtocolError error, WebSocketCloseStatus expected) =>
        error.GetCloseStatus().Should().Be(expected);
}
