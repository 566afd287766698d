namespace RealtimeKit.WebSockets.Tests.Connection.Kit;

/// <summary>The other end of a connection: writes any bytes and reads whole frames. It obeys no rule by itself.</summary>
internal sealed class Peer(Stream wire, Action finish, Action reset) : IAsyncDisposable
{
    private byte[] _buffer = new byte[64 * 1024];
    private int _count;

    /// <summary>Every byte that has been read.</summary>
    public long BytesRead { get; private set; }

    public Task SendAsync(params byte[][] frames) => SendBytesAsync(frames.Length == 1 ? frames[0] : Frames.Join(frames));

    public async Task SendBytesAsync(ReadOnlyMemory<byte> bytes)
    {
        await wire.WriteAsync(bytes).AsTask().Within();
        await wire.FlushAsync().Within();
    }

    /// <summary>The next frame; null at the end of the stream, which must not come inside a frame.</summary>
    public async Task<WireFrame?> TryReadAsync()
    {
        while (true)
        {
            if (WireFrame.TryDecode(_buffer.AsSpan(0, _count), out var consumed) is { } frame)
            {
                _buffer.AsSpan(consumed, _count - consumed).CopyTo(_buffer);
                _count -= consumed;
                return frame;
            }

            if (_count == _buffer.Length)
                Array.Resize(ref _buffer, _buffer.Length * 2);
            int read;
            try
            {
                read = await wire.ReadAsync(_buffer.AsMemory(_count)).AsTask().Within();
            }
            catch (IOException)
            {
                return null;   // aborted or reset
            }

            if (read == 0)
                return null;
            _count += read;
            BytesRead += read;
        }
    }

    /// <summary>The next frame.</summary>
    public async Task<WireFrame> ReadAsync()
    {
        var frame = await TryReadAsync();
        frame.Should().NotBeNull("the stream has not ended");
        return frame!;
    }

    /// <summary>The next frame, of an opcode.</summary>
    public async Task<WireFrame> ReadAsync(int opcode)
    {
        var frame = await ReadAsync();
        frame.Opcode.Should().Be(opcode, "the frame is {0}", frame);
        return frame;
    }

    /// <summary>All frames up to the end of the stream.</summary>
    public async Task<List<WireFrame>> ReadToEndAsync()
    {
        var frames = new List<WireFrame>();
        while (await TryReadAsync() is { } frame)
            frames.Add(frame);
        return frames;
    }

    /// <summary>Ends the writing direction (a FIN) and goes on reading.</summary>
    public void Finish() => finish();

    /// <summary>Destroys both directions.</summary>
    public void Reset() => reset();

    public async ValueTask DisposeAsync()
    {
        try
        {
            await wire.DisposeAsync();
        }
        catch (IOException)
        {
        }
        catch (ObjectDisposedException)
        {
        }
    }
}
