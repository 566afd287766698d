using System.Buffers;
using System.Collections.Concurrent;

namespace RealtimeKit.WebSockets;

/// <summary>
/// Inflates the messages of one direction of a connection (RFC 7692 §7.2.2). Between messages it holds no memory but the history of
/// context takeover; within a message it borrows tables of 9 KiB and, where the message comes in parts, 32 KiB for what was inflated.
/// </summary>
/// <remarks>Wire data never throws: it is <see cref="OperationStatus.InvalidData"/>, after which the decoder is of no use.</remarks>
internal sealed class DeflateDecoder(int windowBits, bool takesOver) : IDisposable
{
    private const int MaxPooled = 64;
    private const int TablesSize = 9 * 1024;

    private static readonly ConcurrentQueue<InflateState> Pool = new();

    [ThreadStatic]
    private static InflateState? _spare;

    private InflateState? _state;
    private InflateHistory _history = new() { MaxDistance = 1 << windowBits };
    private int _tailRead;
    private bool _isBegun;

    /// <summary>How much memory it holds, the borrowed included.</summary>
    public int Retained => (_history.Ring?.Length ?? 0) + (_state is null ? 0 : TablesSize);

    // RFC 7692 §7.2.2: what the sender has removed from the end.
    private static ReadOnlySpan<byte> Tail => [0x00, 0x00, 0xFF, 0xFF];

    /// <summary>Inflates.</summary>
    /// <param name="source">The next bytes of the message's payload.</param>
    /// <param name="destination">Where the inflated bytes go; what it held before is of no interest, all of it may be overwritten.</param>
    /// <param name="isEndOfMessage">Whether <paramref name="source"/> is the last of the message.</param>
    /// <param name="consumed">How many bytes of the source are done with; the rest must be given again.</param>
    /// <param name="written">How many bytes of the destination are inflated.</param>
    /// <returns>
    /// <c>Done</c>: the message is complete. <c>NeedMoreData</c>: all of the source is consumed, and it is not the message's last.
    /// <c>DestinationTooSmall</c>: there is at least one more byte. <c>InvalidData</c>: the message is corrupt.
    /// </returns>
    public OperationStatus Decompress(ReadOnlySpan<byte> source, Span<byte> destination, bool isEndOfMessage, out int consumed, out int written)
    {
        var state = _state ??= Rent();
        consumed = written = 0;
        _isBegun |= !source.IsEmpty;
        var status = state.Run(source, ref consumed, destination, ref written, _history);
        if (status == OperationStatus.NeedMoreData && isEndOfMessage)
            status = Finish(state, destination, ref written);

        if (status == OperationStatus.Done)
        {
            if (takesOver)
                Remember(destination[..written]);
            EndMessage();
        }
        else if (status != OperationStatus.InvalidData)
        {
            Remember(destination[..written]);
        }

        return status;
    }

    /// <summary>Forgets a message that is not inflated to its end, and the history.</summary>
    public void Dispose()
    {
        EndMessage();
        ReturnHistory();
    }

    private OperationStatus Finish(InflateState state, Span<byte> destination, ref int written)
    {
        // A payload without a byte is what some senders make of an empty message; and nothing needs to follow a block with BFINAL.
        if (_tailRead == 0 && (!_isBegun || (state.IsAfterFinalBlock && state.IsBetweenBlocks)))
            return OperationStatus.Done;
        var status = state.Run(Tail, ref _tailRead, destination, ref written, _history);
        if (status != OperationStatus.NeedMoreData)
            return status;

        // All is used: the message ends with an empty stored block, as it must, or in the middle of one.
        return state.IsBetweenBlocks ? OperationStatus.Done : OperationStatus.InvalidData;
    }

    private void Remember(ReadOnlySpan<byte> output)
    {
        if (output.IsEmpty)
            return;
        if (_history.Ring is null)
            _history.Ring = ArrayPool<byte>.Shared.Rent(_history.MaxDistance);
        _history.Append(output);
    }

    private void EndMessage()
    {
        _tailRead = 0;
        _isBegun = false;
        if (!takesOver)
            ReturnHistory();
        if (_state is not { } state)
            return;
        _state = null;
        state.Reset();
        if (_spare is null)
            _spare = state;
        else if (Pool.Count < MaxPooled)
            Pool.Enqueue(state);
    }

    private void ReturnHistory()
    {
        if (_history.Ring is not { } ring)
            return;
        _history.Ring = null;
        ArrayPool<byte>.Shared.Return(ring);
    }

    private static InflateState Rent()
    {
        var state = _spare;
        _spare = null;
        return state ?? (Pool.TryDequeue(out var pooled) ? pooled : new InflateState());
    }
}
