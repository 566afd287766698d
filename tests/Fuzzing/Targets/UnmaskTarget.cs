using RealtimeKit.WebSockets;

namespace RealtimeKit.Fuzzing;

/// <param name="inPlace">What masks in place; <see cref="WebSocketMask"/> where it is not given. Others are faults that a test plants.</param>
/// <param name="copying">What masks while copying, likewise.</param>
internal sealed class UnmaskTarget(UnmaskTarget.InPlace? inPlace = null, UnmaskTarget.Copying? copying = null) : FuzzTarget
{
    public delegate uint InPlace(Span<byte> payload, uint key);

    public delegate uint Copying(ReadOnlySpan<byte> source, Span<byte> destination, uint key);

    private const byte Canary = 0xA5;
    private readonly InPlace _inPlace = inPlace ?? WebSocketMask.Apply;
    private readonly Copying _copying = copying ?? WebSocketMask.Apply;
    private readonly GuardedBuffer _input = new(16384);
    private readonly GuardedBuffer _output = new(16384);

    public override string Name => "unmask";

    public override string Description => "Masking in place and while copying: any alignment, phase and split against a byte loop (RFC 6455 §5.3).";

    public override int MaxLength => 8192;

    public override void Run(ReadOnlySpan<byte> input)
    {
        var settings = new FuzzInput(input);
        Span<byte> key = stackalloc byte[4];
        for (var i = 0; i < 4; i++)
            key[i] = settings.Byte();
        var (before, behind) = (settings.Byte() % 80, settings.Byte() % 80);
        var repeats = settings.Byte() % 8;
        var seed = settings.Byte();
        var some = settings.Rest;

        // A few bytes stand for many: what differs is the length.
        var data = new byte[Math.Min(some.Length << repeats, 12000)];
        for (var i = 0; i < data.Length; i++)
            data[i] = (byte)(some[i % some.Length] + i / some.Length);
        var expected = new byte[data.Length];
        for (var i = 0; i < data.Length; i++)
            expected[i] = (byte)(data[i] ^ key[i % 4]);
        var maskingKey = key[0] | (uint)key[1] << 8 | (uint)key[2] << 16 | (uint)key[3] << 24;
        var next = 0u;
        for (var i = 3; i >= 0; i--)
            next = next << 8 | key[(data.Length + i) % 4];

        // In place, up to the guard page on either side, and not a byte beyond.
        foreach (var atEnd in (bool[])[true, false])
        {
            var whole = atEnd ? _output.AtEnd(before + data.Length + behind) : _output.AtStart(before + data.Length + behind);
            whole.Fill(Canary);
            var middle = whole.Slice(before, data.Length);
            data.CopyTo(middle);
            Oracle.Equal(next, _inPlace(middle, maskingKey), "key after");
            Oracle.Equal(expected, middle, "in place");
            CheckCanaries(whole, before, data.Length);

            // Copied: the source stays.
            whole.Fill(Canary);
            var source = _input.Copy(data, !atEnd);
            Oracle.Equal(next, _copying(source, whole[before..], maskingKey), "key after copying");
            Oracle.Equal(expected, middle, "copied");
            Oracle.Equal(data, source, "source");
            CheckCanaries(whole, before, data.Length);
        }

        CheckSplit(data, expected, maskingKey, seed);
        CheckOverlap(data, maskingKey, 1 + before % 16);
    }

    private static void CheckCanaries(ReadOnlySpan<byte> whole, int before, int length) =>
        Oracle.That(!whole[..before].ContainsAnyExcept(Canary) && !whole[(before + length)..].ContainsAnyExcept(Canary), "written outside of the payload");

    private void CheckSplit(byte[] data, byte[] expected, uint key, byte seed)
    {
        var random = new FuzzRandom(seed);
        var pieces = Segments.Cut(data, random);
        var at = 0;
        foreach (var piece in pieces)
        {
            Oracle.Equal(WebSocketMask.Rotate(key, piece.Length), _inPlace(piece, key), "key between pieces");
            key = WebSocketMask.Rotate(key, piece.Length);
            Oracle.Equal(expected.AsSpan(at, piece.Length), piece, "piece");
            at += piece.Length;
        }
    }

    // Another position of the same memory would mask what is masked.
    private void CheckOverlap(byte[] data, uint key, int distance)
    {
        if (data.Length <= 2 * distance)
            return;
        var copy = data.ToArray();
        try
        {
            _copying(copy.AsSpan(0, copy.Length - distance), copy.AsSpan(distance), key);
            throw new OracleException("overlapping memory is not refused");
        }
        catch (ArgumentException)
        {
            Oracle.Equal(data, copy, "memory after a refusal");
        }
    }
}
