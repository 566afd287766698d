namespace RealtimeKit.WebSockets;

/// <summary>
/// Where a <see cref="WebSocketFrameReader"/> stands, to go on from with the next input: it crosses awaits, which the reader cannot.
/// </summary>
public struct WebSocketFrameReaderState
{
    internal WebSocketFrameReaderOptions Options;
    internal WebSocketFrameHeader Header;           // of the frame that is being read, or of the last one
    internal long Unread;                           // payload bytes of that frame that have not been handed out
    internal long MessageLength;                    // payload bytes that the frames of the message in progress declare
    internal int Fragments;                         // frames of the message in progress; 0 between messages
    internal bool IsInFrame;
    internal bool IsText;                           // the message in progress is text to be validated
    internal WebSocketUtf8Validator Text;
    internal WebSocketProtocolError Error;

    /// <summary>Begins before the first frame of a connection.</summary>
    /// <param name="options">What the reader accepts.</param>
    public WebSocketFrameReaderState(WebSocketFrameReaderOptions options) => Options = options;

    /// <summary>Gets whether the first frame of a message has begun and its last one has not ended (RFC 6455 §5.4).</summary>
    public readonly bool IsMessageInProgress => Fragments != 0;
}
