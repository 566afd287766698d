using System.Text;

namespace RealtimeKit.ServerSentEvents.Tests;

/// <summary>Byte streams that are dense in what a parser can get wrong. The same seed gives the same stream.</summary>
internal static class RandomStreams
{
    private static readonly byte[][] Pieces = new[]
    {
        "data", "data:", "data: ", "data:  x", "data: \u00e9\u4e16", "event", "event:", "event: tick", "id", "id:", "id: 7", "id: a\0b", "retry:",
        "retry: 10", "retry: 1x", "retry: 99999999999999999999", ":", ": comment", "datax: 1", "dat", " data: 1", "\uFEFF", "\uFEFFdata: b", "x", "\0",
        " ", ":", "\n", "\n", "\n", "\n\n", "\n\n", "\r", "\r", "\r\n", "\r\n", "\r\n\r\n", "\r\r", "\n\r",
    }.Select(Encoding.UTF8.GetBytes).Concat([[0xFF], [0xC3], [0xE2, 0x82], [0xF0, 0x9F, 0x98], [0xED, 0xA0, 0x80]]).ToArray();

    public static byte[] Create(int seed)
    {
        var random = new Random(seed);
        var stream = new List<byte>();
        if (random.Next(4) == 0)
            stream.AddRange("\uFEFF"u8);
        for (var count = random.Next(1, 60); count > 0; count--)
        {
            if (random.Next(12) == 0)
                stream.AddRange(Enumerable.Repeat((byte)'y', random.Next(200)));
            stream.AddRange(Pieces[random.Next(Pieces.Length)]);
            if (random.Next(3) == 0)
                stream.Add((byte)'\n');
        }

        return [.. stream];
    }

    /// <summary>Events of many fields, mostly well-formed, as whole blocks of them arrive.</summary>
    public static byte[] CreateEvents(int seed)
    {
        string[] lines =
        [
            "data: {\"symbol\":\"ABC\",\"price\":12.34}", "data:x", "data", "data: ", "event: price", "event:a", "event", "id: 1234567", "id: 8", "id:9",
            "id: an id of more than sixteen bytes", "id: a\0b", "id: \0", "id", "retry: 3000", "retry: 300", "retry:300", "retry: \0300", "retry: 0300",
            "retry: 30x0", "retry: /300", "retry: :300", "retry: 12345678", "retry: 123456789", "retry: ", ": keep-alive", ":", "unknown: 1", "dataset: 1",
        ];
        string[] ends = ["\n", "\n", "\n", "\r\n", "\r"];
        var random = new Random(seed);
        var end = ends[random.Next(ends.Length)];
        var text = new StringBuilder();
        for (var events = 0; events < 20; events++)
        {
            for (var count = random.Next(1, 6); count > 0; count--)
                text.Append(lines[random.Next(4) == 0 ? 0 : random.Next(lines.Length)]).Append(end);
            text.Append(end);
            if (random.Next(10) == 0)
                text.Append(": ").Append('c', random.Next(1_500)).Append(end);
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }

    public static List<ReadOnlyMemory<byte>> Split(byte[] stream, Random random, int most = 40)
    {
        var blocks = new List<ReadOnlyMemory<byte>>();
        var longest = random.Next(1, most);
        for (var start = 0; start < stream.Length;)
        {
            var length = Math.Min(random.Next(0, longest + 1), stream.Length - start);
            blocks.Add(stream.AsMemory(start, length));
            start += length;
        }

        return blocks;
    }
}
