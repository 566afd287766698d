namespace RealtimeKit.Fuzzing;

/// <summary>Takes settings from the head of an input; what is missing is 0.</summary>
internal ref struct FuzzInput(ReadOnlySpan<byte> data)
{
    public ReadOnlySpan<byte> Rest { get; private set; } = data;

    public byte Byte()
    {
        if (Rest.IsEmpty)
            return 0;
        var value = Rest[0];
        Rest = Rest[1..];
        return value;
    }

    public int UInt16() => Byte() | Byte() << 8;

    public ReadOnlySpan<byte> Take(int length)
    {
        var taken = Rest[..Math.Min(length, Rest.Length)];
        Rest = Rest[taken.Length..];
        return taken;
    }
}
