namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>The beginning of a message whose end has not arrived; holds nothing while messages arrive whole.</summary>
internal struct PartialMessage
{
    private const int Limit = 64 * 1024;

    private byte[]? _bytes;
    private int _length;

    public void Append(ReadOnlySpan<byte> part)
    {
        if (_length + part.Length > Limit)
            throw new BenchmarkException("A message is longer than 64 KiB");
        if (_bytes is null || _bytes.Length < _length + part.Length)
            Array.Resize(ref _bytes, Math.Max(2 * (_length + part.Length), 512));
        part.CopyTo(_bytes.AsSpan(_length));
        _length += part.Length;
    }

    /// <summary>The whole message, of which this is the last part. Valid until the next call.</summary>
    public ReadOnlySpan<byte> Complete(ReadOnlySpan<byte> last)
    {
        if (_length == 0)
            return last;
        Append(last);
        var message = _bytes.AsSpan(0, _length);
        _length = 0;
        return message;
    }
}
