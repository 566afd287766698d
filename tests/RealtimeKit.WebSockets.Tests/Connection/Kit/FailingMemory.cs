using System.Buffers;

namespace RealtimeKit.WebSockets.Tests.Connection.Kit;

/// <summary>Memory that may be looked at so many times, as that of an owner who gives it up too early.</summary>
internal sealed class FailingMemory(byte[] bytes) : MemoryManager<byte>
{
    public int ReadsLeft { get; set; } = int.MaxValue;

    public override Span<byte> GetSpan()
    {
        ObjectDisposedException.ThrowIf(ReadsLeft-- <= 0, this);
        return bytes;
    }

    public override Memory<byte> Memory => CreateMemory(bytes.Length);

    public override MemoryHandle Pin(int elementIndex = 0) => throw new NotSupportedException();

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing) => ReadsLeft = 0;
}
