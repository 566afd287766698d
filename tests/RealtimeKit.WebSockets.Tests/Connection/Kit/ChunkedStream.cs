namespace RealtimeKit.WebSockets.Tests.Connection.Kit;

/// <summary>A read gives no more than the next size says; every other one yields first, so that both paths are taken.</summary>
internal sealed class ChunkedStream(Stream inner, Func<int> nextSize) : WrappingStream(inner)
{
    private int _reads;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_reads++ % 2 == 0)
            await Task.Yield();
        return await base.ReadAsync(buffer[..Math.Min(buffer.Length, nextSize())], cancellationToken);
    }
}
