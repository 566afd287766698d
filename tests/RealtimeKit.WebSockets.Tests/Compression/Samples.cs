using System.Globalization;
using System.Text;

namespace RealtimeKit.WebSockets.Tests.Compression;

/// <summary>Data of many kinds, the same in every run.</summary>
internal static class Samples
{
    public static readonly string[] Kinds = ["json", "text", "random", "runs", "period", "mixed"];

    public static readonly int[] Sizes = [0, 1, 2, 3, 4, 5, 7, 8, 9, 31, 128, 257, 258, 259, 1000, 1024, 4096, 16_383, 16_385, 65_536, 70_000];

    public static byte[] Create(string kind, int size, int seed = 1)
    {
        var random = new Random(seed * 7919 + size);
        return kind switch
        {
            "json" => Json(size, random),
            "text" => Text(size, random),
            "random" => Random(size, random),
            "runs" => Runs(size, random),
            "period" => Period(size, random),
            _ => Mixed(size, random),
        };
    }

    private static byte[] Json(int size, Random random)
    {
        var text = new StringBuilder("{\"items\":[");
        while (text.Length < size)
            text.Append(CultureInfo.InvariantCulture, $"{{\"id\":{random.Next(1, 1_000_000)},\"name\":\"{(char)('a' + random.Next(26))}lice\",\"price\":{random.Next(100_000) / 100.0},\"at\":\"2026-11-{random.Next(1, 29):00}T{random.Next(24):00}:00:00Z\"}},");
        return Encoding.ASCII.GetBytes(text.ToString(0, size));
    }

    private static byte[] Text(int size, Random random)
    {
        string[] words = ["the", "connection", "sends", "größer", "a", "message", "of", "any", "size", "when", "ready", "データ"];
        var text = new StringBuilder();
        while (text.Length < size)
            text.Append(words[random.Next(words.Length)]).Append(random.Next(9) == 0 ? ". " : " ");
        return Encoding.UTF8.GetBytes(text.ToString())[..size];
    }

    private static byte[] Random(int size, Random random)
    {
        var bytes = new byte[size];
        random.NextBytes(bytes);
        return bytes;
    }

    private static byte[] Runs(int size, Random random)
    {
        var bytes = new byte[size];
        for (var i = 0; i < size;)
        {
            var count = Math.Min(random.Next(1, 700), size - i);
            bytes.AsSpan(i, count).Fill((byte)random.Next(4));
            i += count;
        }

        return bytes;
    }

    // Repeats that lie as far back as windows reach, one less and one more.
    private static byte[] Period(int size, Random random)
    {
        int[] periods = [255, 256, 257, 511, 512, 513, 4096, 32_767, 32_768, 32_769];
        var bytes = Random(size, random);
        for (var i = 0; i < size;)
        {
            var period = periods[random.Next(periods.Length)];
            var count = Math.Min(random.Next(3, 300), size - i);
            for (var n = 0; n < count; n++, i++)
                if (i >= period)
                    bytes[i] = bytes[i - period];
        }

        return bytes;
    }

    private static byte[] Mixed(int size, Random random)
    {
        var bytes = new List<byte>();
        while (bytes.Count < size)
            bytes.AddRange(Create(Kinds[random.Next(5)], random.Next(1, 5000), random.Next(1000)));
        return [.. bytes.Take(size)];
    }
}
