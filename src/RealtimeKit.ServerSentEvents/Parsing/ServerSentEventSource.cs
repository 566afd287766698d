using System.Buffers;
using System.IO.Pipelines;

namespace RealtimeKit.ServerSentEvents;

/// <summary>An assembler with the input that feeds it.</summary>
internal abstract class ServerSentEventSource(ServerSentEventAssembler assembler) : IAsyncDisposable
{
    public ServerSentEventAssembler Assembler { get; } = assembler;

    /// <summary>Reads the next item of what has arrived.</summary>
    /// <exception cref="ServerSentEventLimitException">The stream breaks a limit.</exception>
    public abstract bool TryRead(out ServerSentEventView item);

    /// <summary>Waits for more; false at the end.</summary>
    public abstract ValueTask<bool> FillAsync(CancellationToken cancellationToken);

    public abstract ValueTask DisposeAsync();
}

/// <summary>Reads a pipe. The pipe is the caller's: it stays open, and what has not been read stays in it.</summary>
internal sealed class PipeEventSource(PipeReader input, ServerSentEventParserOptions? options)
    : ServerSentEventSource(new ServerSentEventAssembler(options))
{
    private ReadOnlySequence<byte> _buffer;
    private bool _isReading;
    private bool _isCompleted;

    public override bool TryRead(out ServerSentEventView item)
    {
        if (_isReading && Assembler.TryRead(ref _buffer, out item))
            return true;
        Assembler.ThrowIfLimitExceeded();
        item = default;
        return false;
    }

    public override async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (_isCompleted)
            return false;
        Advance();
        var result = await input.ReadAsync(cancellationToken).ConfigureAwait(false);
        _buffer = result.Buffer;
        _isReading = true;
        _isCompleted = result.IsCompleted;
        if (result.IsCanceled)
            throw new OperationCanceledException("The pending read was cancelled.");
        return true;
    }

    public override ValueTask DisposeAsync()
    {
        Advance();
        Assembler.Dispose();
        return default;
    }

    private void Advance()
    {
        if (!_isReading)
            return;
        _isReading = false;
        input.AdvanceTo(_buffer.Start, _buffer.IsEmpty ? _buffer.End : _buffer.Start);
        _buffer = default;
    }
}

/// <summary>Reads a stream into one buffer, in which an unfinished line waits for its rest: an event of any length lies together.</summary>
internal sealed class StreamEventSource : ServerSentEventSource
{
    private const int MinimumRead = 2 * 1024;
    private const int UsualSize = 16 * 1024;

    private readonly Stream _input;
    private byte[]? _buffer;
    private int _start;
    private int _end;

    public StreamEventSource(Stream input, ServerSentEventParserOptions? options)
        : this(input, new ServerSentEventAssembler(options))
    {
    }

    public StreamEventSource(Stream input, ServerSentEventAssembler assembler)
        : base(assembler)
    {
        ArgumentNullException.ThrowIfNull(input);
        _input = input;
        Assembler.LeavesUnfinishedLines = true;
    }

    public override bool TryRead(out ServerSentEventView item)
    {
        ReadOnlySpan<byte> unread = new(_buffer, _start, _end - _start);
        var found = Assembler.TryRead(ref unread, out item);
        _start = _end - unread.Length;
        if (!found)
            Assembler.ThrowIfLimitExceeded();
        return found;
    }

    public override async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (_start == _end)
        {
            // An idle stream holds no buffer: one is rented when bytes are there.
            Release();
            var wait = _input.ReadAsync(Memory<byte>.Empty, cancellationToken);
            if (!wait.IsCompletedSuccessfully)
                await wait.ConfigureAwait(false);
        }

        MakeRoom();
        var read = await _input.ReadAsync(_buffer.AsMemory(_end), cancellationToken).ConfigureAwait(false);
        _end += read;
        return read != 0;
    }

    public override ValueTask DisposeAsync()
    {
        Release();
        Assembler.Dispose();
        return default;
    }

    public void Release()
    {
        _start = _end = 0;
        if (_buffer is null)
            return;
        BufferPool.Return(_buffer);
        _buffer = null;
    }

    private void MakeRoom()
    {
        _buffer ??= BufferPool.Rent(UsualSize);
        var unread = _end - _start;
        if (_buffer.Length - unread < Math.Max(MinimumRead, unread / 2))
        {
            var larger = BufferPool.Rent(checked(unread * 2));
            _buffer.AsSpan(_start, unread).CopyTo(larger);
            BufferPool.Return(_buffer);
            _buffer = larger;
        }
        else if (_start != 0)
        {
            _buffer.AsSpan(_start, unread).CopyTo(_buffer);
        }

        _start = 0;
        _end = unread;
    }
}
