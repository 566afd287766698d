using System.Buffers;
using RealtimeKit.WebSockets;

static class Check
{
    // RFC 6455 §5.7: a masked text message "Hello".
    public static Task RunAsync()
    {
        byte[] bytes = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        var payload = bytes.AsSpan(6);
/*SNIPPET*/
        (status, headerLength, error).Should().Be((OperationStatus.Done, 6, WebSocketProtocolError.None));
        System.Text.Encoding.UTF8.GetString(payload).Should().Be("Hello");
        return Task.CompletedTask;
    }
}
