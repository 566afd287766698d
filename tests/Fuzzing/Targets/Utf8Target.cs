using System.Text;
using System.Text.Unicode;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Fuzzing;

internal sealed class Utf8Target : FuzzTarget
{
    private readonly GuardedBuffer _input = new(16384);

    public override string Name => "utf8";

    public override string Description => "The UTF-8 validator in chunks, against Utf8.IsValid and a plain table: refused at the first byte that is wrong (RFC 6455 §8.1).";

    public override IReadOnlyList<byte[]> Dictionary { get; } =
    [
        "é"u8.ToArray(), "€"u8.ToArray(), "😀"u8.ToArray(), "\uFEFF"u8.ToArray(), "\uFFFD"u8.ToArray(), "日本語日本語日本語"u8.ToArray(), "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"u8.ToArray(),
        [0xC0, 0x80], [0xC1, 0xBF], [0xC2, 0x80], [0xDF, 0xBF], [0xE0, 0x9F, 0xBF], [0xE0, 0xA0, 0x80], [0xED, 0x9F, 0xBF], [0xED, 0xA0, 0x80], [0xEF, 0xBF, 0xBF],
        [0xF0, 0x8F, 0xBF, 0xBF], [0xF0, 0x90, 0x80, 0x80], [0xF4, 0x8F, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80], [0xF5], [0xFF], [0x80], [0xBF], [0xF0, 0x9F], [0xE2, 0x82], [0xC3],
    ];

    public override void Run(ReadOnlySpan<byte> input)
    {
        var settings = new FuzzInput(input);
        var seed = settings.Byte();
        var text = settings.Rest;
        var invalid = PlainUtf8.FirstInvalid(text, out var isComplete);
        var isValid = invalid < 0 && isComplete;
        Oracle.Equal(Utf8.IsValid(text), isValid, "the models disagree");
        Oracle.Equal(isValid, WebSocketUtf8Validator.IsValid(_input.Copy(text)), "IsValid before a guard page");
        Oracle.Equal(isValid, WebSocketUtf8Validator.IsValid(_input.Copy(text, atEnd: false)), "IsValid behind a guard page");

        var random = new FuzzRandom(seed);
        CheckChunks([text.ToArray()], invalid, isComplete);
        CheckChunks(Segments.Bytes(text), invalid, isComplete);
        CheckChunks(Segments.Cut(text, random), invalid, isComplete);
        CheckChunks(Segments.Cut(text, random), invalid, isComplete);
    }

    public override byte[] Generate(FuzzRandom random)
    {
        var text = new StringBuilder();
        for (var left = random.Skewed(400); left > 0; left--)
        {
            var rune = random.Next(4) switch { 0 => random.Next(0x80), 1 => random.Between(0x80, 0x7FF), 2 => random.Between(0x800, 0xD7FF), _ => random.Between(0x10000, 0x10FFFF) };
            text.Append(new Rune(rune));
        }

        byte[] valid = [random.NextByte(), .. Encoding.UTF8.GetBytes(text.ToString())];
        if (random.Once(2))
            valid[random.Next(valid.Length)] ^= (byte)(1 << random.Next(8));
        return valid;
    }

    private void CheckChunks(List<byte[]> chunks, int invalid, bool isComplete)
    {
        var validator = new WebSocketUtf8Validator();
        var end = 0;
        foreach (var chunk in chunks)
        {
            end += chunk.Length;
            var mayGoOn = invalid < 0 || invalid >= end;
            Oracle.That(validator.Append(_input.Copy(chunk)) == mayGoOn, $"chunk that ends at {end}: first invalid byte at {invalid}");
            Oracle.That(validator.IsInvalid == !mayGoOn, "IsInvalid");
        }

        Oracle.Equal(invalid < 0 && isComplete, validator.IsComplete, "IsComplete");
        if (invalid >= 0)
            Oracle.That(!validator.Append("a"u8), "a validator forgets that its text is invalid");
        validator.Reset();
        Oracle.That(validator.Append("ä"u8) && validator.IsComplete, "Reset");
    }
}
