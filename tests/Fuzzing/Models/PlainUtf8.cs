namespace RealtimeKit.Fuzzing;

/// <summary>The table of well-formed byte sequences of the Unicode Standard (table 3-7, RFC 3629 §4), byte by byte.</summary>
internal static class PlainUtf8
{
    private static readonly (int From, int To, (int From, int To)[] Others)[] Rows =
    [
        (0x00, 0x7F, []),
        (0xC2, 0xDF, [(0x80, 0xBF)]),
        (0xE0, 0xE0, [(0xA0, 0xBF), (0x80, 0xBF)]),
        (0xE1, 0xEC, [(0x80, 0xBF), (0x80, 0xBF)]),
        (0xED, 0xED, [(0x80, 0x9F), (0x80, 0xBF)]),
        (0xEE, 0xEF, [(0x80, 0xBF), (0x80, 0xBF)]),
        (0xF0, 0xF0, [(0x90, 0xBF), (0x80, 0xBF), (0x80, 0xBF)]),
        (0xF1, 0xF3, [(0x80, 0xBF), (0x80, 0xBF), (0x80, 0xBF)]),
        (0xF4, 0xF4, [(0x80, 0x8F), (0x80, 0xBF), (0x80, 0xBF)]),
    ];

    /// <summary>The index of the first byte that no text can have there; -1 if there is none.</summary>
    /// <param name="text">The text.</param>
    /// <param name="isComplete">Whether it ends with a whole character.</param>
    public static int FirstInvalid(ReadOnlySpan<byte> text, out bool isComplete)
    {
        (int From, int To)[] expected = [];
        var at = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (at < expected.Length)
            {
                if (text[i] < expected[at].From || text[i] > expected[at].To)
                {
                    isComplete = false;
                    return i;
                }

                at++;
                continue;
            }

            var found = false;
            foreach (var row in Rows)
            {
                if (text[i] < row.From || text[i] > row.To)
                    continue;
                (expected, at, found) = (row.Others, 0, true);
                break;
            }

            if (!found)
            {
                isComplete = false;
                return i;
            }
        }

        isComplete = at == expected.Length;
        return -1;
    }
}
