using System.Text;
using System.Text.Unicode;
using BenchmarkDotNet.Attributes;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Benchmarks.Micro.Framing;

/// <summary>UTF-8 validation against the framework's own, which keeps no state across chunks.</summary>
public class Utf8Benchmarks
{
    private Memory<byte> _text;
    private WebSocketUtf8Validator _validator;

    public enum Script
    {
        Ascii,
        Latin,
        Chinese,
        Emoji,

        /// <summary>Characters of one to four bytes in no order that a branch predictor could learn.</summary>
        Mixed,
    }

    [Params(Script.Ascii, Script.Latin, Script.Chinese, Script.Emoji, Script.Mixed)]
    public Script Text { get; set; }

    [Params(16, 125, 1024, 65_536)]
    public int Length { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _text = AlignedBuffer.Create(Length);
        _text.Span.Fill((byte)'.');
        var random = new Random(6455);
        for (var rest = _text.Span; rest.Length >= 4;)
        {
            var character = Text switch
            {
                Script.Ascii => random.Next(0x20, 0x7F),
                Script.Latin => random.Next(6) == 0 ? random.Next(0xC0, 0x180) : random.Next(0x61, 0x7B),
                Script.Chinese => random.Next(0x4E00, 0x9FA6),
                Script.Emoji => random.Next(0x1F600, 0x1F650),
                _ => random.Next(4) switch
                {
                    0 => random.Next(0x20, 0x7F),
                    1 => random.Next(0xC0, 0x500),
                    2 => random.Next(0x3041, 0x9FA6),
                    _ => random.Next(0x1F600, 0x1F650),
                },
            };
            rest = rest[new Rune(character).EncodeToUtf8(rest)..];
        }
    }

    [Benchmark(Baseline = true)]
    public bool Framework() => Utf8.IsValid(_text.Span);

    [Benchmark]
    public bool Validator() => _validator.Append(_text.Span);
}
