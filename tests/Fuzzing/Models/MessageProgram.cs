namespace RealtimeKit.Fuzzing;

/// <summary>A short program for long messages that repeat themselves: runs of its own bytes, and copies of what it made before.</summary>
internal static class MessageProgram
{
    public static byte[] Expand(ref FuzzInput input, int maxLength)
    {
        var output = new List<byte>();
        while (!input.Rest.IsEmpty && output.Count < maxLength)
        {
            var operation = input.Byte();
            switch (operation >> 6)
            {
                case 0 when operation == 0:
                    return Cut(output, maxLength);
                case 0 or 1:
                    output.AddRange(input.Take(operation & 0x7F));
                    break;
                case 2:
                    Copy(output, input.UInt16() + 1, (operation & 0x3F) + 3);
                    break;
                default:
                    // What no table predicts, and so fills blocks.
                    var random = new FuzzRandom(input.Byte());
                    for (var left = (operation & 0x3F) * 64; left > 0; left--)
                        output.Add((operation & 1) == 0 ? random.NextByte() : (byte)random.Between('a', 'z'));
                    break;
            }
        }

        return Cut(output, maxLength);
    }

    private static void Copy(List<byte> output, int distance, int length)
    {
        if (output.Count == 0)
            return;
        distance = 1 + (distance - 1) % output.Count;
        for (length *= length > 40 ? 32 : 1; length > 0; length--)
            output.Add(output[^distance]);
    }

    private static byte[] Cut(List<byte> output, int maxLength)
    {
        if (output.Count > maxLength)
            output.RemoveRange(maxLength, output.Count - maxLength);
        return [.. output];
    }
}
