namespace RealtimeKit.WebSockets;

// Answers to messages that arrived together leave together: while the receiver works through what is buffered, on the thread that
// woke it, its sends only collect, and they go out as soon as it awaits something. That is one flush for a batch instead of one for
// each message.
internal sealed partial class CodecWebSocketConnection
{
    // Collected sends leave at this size in any case.
    private const int CorkSize = 16 * 1024;

    // A handler that keeps its thread for longer than this is not corked for the next so many times: its answers must not wait for it.
    private static readonly TimeSpan CorkTimeout = TimeSpan.FromMilliseconds(1);
    private const int CorkPenalty = 256;

    private volatile bool _isCorked;
    private int _corkPenalty;

    private bool TryCork(out long started)
    {
        started = 0;
        if (_input.RawLength == 0 || _inputEnded)
            return false;
        if (_corkPenalty > 0)
        {
            _corkPenalty--;
            return false;
        }

        started = _clock.GetTimestamp();
        _wheel.EnsureWithin(_timer, ticks: 1);   // which uncorks a handler that blocks
        _isCorked = true;
        return true;
    }

    private void Uncork(long started)
    {
        ForceUncork();
        if (_clock.GetElapsedTime(started) > CorkTimeout)
            _corkPenalty = CorkPenalty;
    }

    private void ForceUncork()
    {
        if (!_isCorked)
            return;
        _isCorked = false;
        StartFlush();
    }
}
