using System.Net.WebSockets;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Pooling.Tests;

/// <summary>A transport whose read ends long after the connection: the buffer that it was to fill comes back then, and not before.</summary>
public class LateReadTests
{
    [Theory(Timeout = 60_000), InlineData(0), InlineData(5)]
    public async Task Dispose_ReadIntoABufferIsPending_ItComesBackWhenTheReadEnds(int late)
    {
        var before = PoolCheckAttribute.Pool.Outstanding;
        await using var stream = new StubbornStream();
        var connection = WebSocketConnection.Create(stream, new WebSocketConnectionOptions { Role = WebSocketRole.Server });
        var receive = connection.ReceiveAsync(TestContext.Current.CancellationToken).AsTask();
        // The head of a message of 60,000 bytes and the first of them: the rest is read into a buffer.
        stream.Complete([0x82, 0xFE, 0xEA, 0x60, 0, 0, 0, 0, 1, 2, 3]);
        while (stream.Pending.Length == 0)
            await Task.Yield();

        connection.Abort();
        await connection.DisposeAsync();
        (await receive).Type.Should().Be(WebSocketMessageType.Close);
        PoolCheckAttribute.Pool.Outstanding.Should().Be(before + 1, "the read may still write into it");

        stream.Complete(new byte[late]);
        while (PoolCheckAttribute.Pool.Outstanding > before)
            await Task.Delay(1, TestContext.Current.CancellationToken);
    }

    /// <summary>A stream whose reads end when they are told to, and not because it was disposed.</summary>
    private sealed class StubbornStream : Stream
    {
        private TaskCompletionSource<int>? _read;
        private byte[] _bytes = [];
        private Memory<byte> _pending;

        public Memory<byte> Pending => _read is { Task.IsCompleted: false } ? _pending : default;

        public override bool CanRead => true;

        public override bool CanWrite => true;

        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        /// <summary>Ends the pending read: an empty one with nothing, and the next has the bytes.</summary>
        public void Complete(byte[] bytes)
        {
            if (_pending.IsEmpty)
            {
                _bytes = bytes;
                _read!.SetResult(0);
                return;
            }

            bytes.CopyTo(_pending);
            _read!.SetResult(bytes.Length);
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (!buffer.IsEmpty && _bytes.Length > 0)
            {
                var count = _bytes.Length;
                _bytes.CopyTo(buffer);
                _bytes = [];
                return new ValueTask<int>(count);
            }

            _pending = buffer;
            _read = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
            return new ValueTask<int>(_read.Task);
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => default;

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
