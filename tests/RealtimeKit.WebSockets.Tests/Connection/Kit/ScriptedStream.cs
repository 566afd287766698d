using System.Threading.Channels;

namespace RealtimeKit.WebSockets.Tests.Connection.Kit;

/// <summary>Gives chunks exactly as they were put in, at once where one is there, and keeps what is written.</summary>
internal sealed class ScriptedStream : WrappingStream
{
    private readonly Channel<byte[]> _chunks = Channel.CreateUnbounded<byte[]>(new UnboundedChannelOptions { AllowSynchronousContinuations = true });
    private readonly MemoryStream _written = new();
    private readonly Lock _lock = new();
    private ReadOnlyMemory<byte> _current;

    public ScriptedStream(params byte[][] chunks)
        : base(Null)
    {
        foreach (var chunk in chunks)
            Put(chunk);
    }

    /// <summary>How many bytes the last read asked for.</summary>
    public int LastRequest { get; private set; }

    public byte[] Written
    {
        get
        {
            lock (_lock)
                return _written.ToArray();
        }
    }

    public void Put(byte[] chunk)
    {
        if (chunk.Length > 0)
            _chunks.Writer.TryWrite(chunk);
    }

    /// <summary>The end of the stream follows what has been put in.</summary>
    public void End(Exception? error = null) => _chunks.Writer.TryComplete(error);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        LastRequest = buffer.Length;
        if (_current.IsEmpty)
        {
            if (!_chunks.Reader.TryRead(out var chunk))
                return WaitAsync(buffer);
            _current = chunk;
        }

        return ValueTask.FromResult(Take(buffer));
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        lock (_lock)
            _written.Write(buffer.Span);
        return default;
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    protected override void Dispose(bool disposing)
    {
        End();
        base.Dispose(disposing);
    }

    private async ValueTask<int> WaitAsync(Memory<byte> buffer)
    {
        try
        {
            _current = await _chunks.Reader.ReadAsync();
        }
        catch (ChannelClosedException closed)
        {
            return closed.InnerException is { } error ? throw error : 0;
        }

        return Take(buffer);
    }

    private int Take(Memory<byte> buffer)
    {
        var count = Math.Min(buffer.Length, _current.Length);
        _current[..count].CopyTo(buffer);
        _current = _current[count..];
        return count;
    }
}
