namespace RealtimeKit.WebSockets;

/// <summary>
/// What a connection needs of its bytes: one read and one write at a time, each begun, possibly awaited by a callback, and ended.
/// The split keeps a completed operation free of callbacks and a pending one free of allocations.
/// </summary>
internal abstract class WebSocketTransport
{
    /// <summary>
    /// Whether a read fills the caller's buffer while it is pending. Where it does, an idle connection waits with an empty buffer;
    /// where it does not (a pipe owns its memory), <see cref="BeginRead"/> takes none.
    /// </summary>
    public abstract bool ReadsIntoBuffer { get; }

    /// <summary>
    /// Whether the transport carries the wire's own frames. Where it does not (a BCL socket handles masking and control frames
    /// itself), frames are unmasked in both directions and there are no pings.
    /// </summary>
    public virtual bool SeesControlFrames => true;

    /// <summary>Begins a read. An empty <paramref name="destination"/> on a transport that reads into buffers only waits for data.</summary>
    /// <returns>Whether the read has already completed.</returns>
    public abstract bool BeginRead(Memory<byte> destination);

    /// <summary>Registers the callback of a pending read.</summary>
    public abstract void OnReadCompleted(Action continuation);

    /// <summary>
    /// Makes sure that the callback of a pending read is registered, also where the thread that is to do so is blocked by a receiver.
    /// </summary>
    public virtual void OnReadOverdue(Action continuation)
    {
    }

    /// <summary>
    /// Ends a read. The first <paramref name="masked"/> bytes that arrive are unmasked with <paramref name="maskingKey"/>, while
    /// they are copied where the transport copies.
    /// </summary>
    /// <param name="destination">Where the bytes go: what <see cref="BeginRead"/> was given, or any buffer for a pipe.</param>
    /// <param name="masked">How many of the next bytes on the wire are masked payload.</param>
    /// <param name="maskingKey">The key, rotated to the first of them.</param>
    /// <returns>The number of bytes; 0 at the end of the stream; <see cref="Interrupted"/> when the read must be begun again.</returns>
    /// <exception cref="IOException">The transport failed.</exception>
    public abstract int EndRead(Span<byte> destination, int masked, uint maskingKey);

    /// <summary>What <see cref="EndRead"/> returns for a read that was interrupted without data.</summary>
    public const int Interrupted = -1;

    /// <summary>
    /// Whether a pending read may be left to the owner of the transport, who ends it by itself and in order: an abort, in its place,
    /// would reset the connection.
    /// </summary>
    public virtual bool IsReadEndedByOwner => false;

    /// <summary>Finishes a pending read without data where the transport can; <see langword="false"/> where only an abort does.</summary>
    public abstract bool TryInterruptRead();

    /// <summary>Begins a write, flush included; the memory stays untouched until it has ended.</summary>
    /// <returns>Whether the write has already completed.</returns>
    public abstract bool BeginWrite(ReadOnlyMemory<byte> source);

    /// <summary>Registers the callback of a pending write.</summary>
    public abstract void OnWriteCompleted(Action continuation);

    /// <summary>Ends a write.</summary>
    /// <exception cref="IOException">The transport failed, or the peer is gone.</exception>
    public abstract void EndWrite();

    /// <summary>Ends the transport at once; pending operations fail.</summary>
    public abstract void Abort();

    /// <summary>Ends the transport in order, after the last write; no operation is pending.</summary>
    public abstract ValueTask CloseAsync();
}
