namespace RealtimeKit.Fuzzing;

/// <summary>Gives pieces as they were cut, then the end, and keeps what is written.</summary>
/// <param name="pieces">The pieces.</param>
/// <param name="pauses">Says which reads complete only later; <see langword="null"/>: everything completes at once.</param>
internal sealed class ScriptedStream(IReadOnlyList<byte[]> pieces, FuzzRandom? pauses = null) : Stream
{
    private readonly MemoryStream _written = new();
    private int _piece;
    private int _offset;

    public int LargestRequest { get; private set; }

    public ReadOnlySpan<byte> Written => _written.GetBuffer().AsSpan(0, (int)_written.Length);

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(Span<byte> buffer)
    {
        LargestRequest = Math.Max(LargestRequest, buffer.Length);
        while (_piece < pieces.Count && _offset == pieces[_piece].Length)
            (_piece, _offset) = (_piece + 1, 0);
        if (_piece == pieces.Count)
            return 0;
        var count = Math.Min(buffer.Length, pieces[_piece].Length - _offset);
        pieces[_piece].AsSpan(_offset, count).CopyTo(buffer);
        _offset += count;
        return count;
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        pauses is not null && pauses.Once(2) ? ReadLaterAsync(buffer) : new(Read(buffer.Span));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => Task.FromResult(Read(buffer.AsSpan(offset, count)));

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer) => _written.Write(buffer);

    public override void Write(byte[] buffer, int offset, int count) => _written.Write(buffer, offset, count);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        _written.Write(buffer.Span);
        return default;
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        _written.Write(buffer, offset, count);
        return Task.CompletedTask;
    }

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private async ValueTask<int> ReadLaterAsync(Memory<byte> buffer)
    {
        await Task.Yield();
        return Read(buffer.Span);
    }
}

/// <summary>Time that stands still, with timers that never ring.</summary>
internal sealed class StandingTime : TimeProvider
{
    public static StandingTime Instance { get; } = new();

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddYears(50);

    public override long GetTimestamp() => 1_000_000_000;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new NoTimer();

    private sealed class NoTimer : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => default;
    }
}
