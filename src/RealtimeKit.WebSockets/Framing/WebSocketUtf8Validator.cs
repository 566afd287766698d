namespace RealtimeKit.WebSockets;

/// <summary>
/// Validates UTF-8 that arrives in chunks, split anywhere (RFC 6455 §8.1, RFC 3629). A text is refused as soon as its bytes can no
/// longer become valid: <c>F4 90</c> at the second byte, <c>C0</c> at the first.
/// </summary>
/// <remarks>
/// Whole chunks go through the vectors of <see cref="Utf8Lookup"/>; only a character that two chunks share is followed byte by byte.
/// The default value is ready for use. It is a mutable struct: keep it in a field or a local that is not readonly.
/// </remarks>
public struct WebSocketUtf8Validator
{
    private const byte LowestContinuation = 0x80;
    private const byte HighestContinuation = 0xBF;

    private byte _missing;     // continuation bytes that the unfinished character still needs
    private byte _lowest;      // the range of the next of them
    private byte _highest;
    private bool _isInvalid;

    /// <summary>Gets whether the bytes so far end with a whole character: a message may end here.</summary>
    public readonly bool IsComplete => _missing == 0 && !_isInvalid;

    /// <summary>Gets whether the bytes so far can no longer become valid UTF-8.</summary>
    public readonly bool IsInvalid => _isInvalid;

    /// <summary>Tells whether <paramref name="text"/> is valid UTF-8 from its first byte to its last.</summary>
    /// <param name="text">A whole text.</param>
    /// <returns>True if it is valid and its last character is complete.</returns>
    public static bool IsValid(ReadOnlySpan<byte> text) => Utf8Lookup.HasNoError(text) && LengthOfUnfinished(text) == 0;

    /// <summary>Takes the next bytes of the text.</summary>
    /// <param name="bytes">Bytes that follow those of the calls before. None is fine.</param>
    /// <returns>False if the text is invalid, and from then on until <see cref="Reset"/>; true if it is valid or may still become so.</returns>
    public bool Append(ReadOnlySpan<byte> bytes)
    {
        if ((_missing | (_isInvalid ? 1 : 0)) != 0)
        {
            if (_isInvalid)
                return false;
            bytes = bytes[FinishCharacter(bytes)..];
            if (_isInvalid)
                return false;
        }

        var unfinished = LengthOfUnfinished(bytes);
        return unfinished == 0 ? !(_isInvalid = !Utf8Lookup.HasNoError(bytes)) : AppendWithUnfinished(bytes, unfinished);
    }

    /// <summary>Begins a new text.</summary>
    public void Reset() => this = default;

    private bool AppendWithUnfinished(ReadOnlySpan<byte> bytes, int unfinished)
    {
        // The vectors look at each byte with those before it, so that an unfinished character at the end is no error to them.
        if (!Utf8Lookup.HasNoError(bytes) || !Begin(bytes[^unfinished]))
        {
            _isInvalid = true;
            return false;
        }

        FinishCharacter(bytes[(bytes.Length - unfinished + 1)..]);
        return !_isInvalid;
    }

    private int FinishCharacter(ReadOnlySpan<byte> bytes)
    {
        var i = 0;
        for (; i < bytes.Length && _missing != 0; i++)
        {
            if (bytes[i] < _lowest || bytes[i] > _highest)
            {
                _isInvalid = true;
                break;
            }

            _missing--;
            _lowest = LowestContinuation;
            _highest = HighestContinuation;
        }

        return i;
    }

    // RFC 3629 §4: the second byte has a narrower range after E0 and F0 (overlong), ED (surrogates) and F4 (beyond U+10FFFF).
    private bool Begin(byte lead)
    {
        (_missing, _lowest, _highest) = lead switch
        {
            >= 0xC2 and <= 0xDF => ((byte)1, LowestContinuation, HighestContinuation),
            0xE0 => ((byte)2, (byte)0xA0, HighestContinuation),
            0xED => ((byte)2, LowestContinuation, (byte)0x9F),
            >= 0xE1 and <= 0xEF => ((byte)2, LowestContinuation, HighestContinuation),
            0xF0 => ((byte)3, (byte)0x90, HighestContinuation),
            >= 0xF1 and <= 0xF3 => ((byte)3, LowestContinuation, HighestContinuation),
            0xF4 => ((byte)3, LowestContinuation, (byte)0x8F),
            _ => default,   // C0, C1 and F5–FF begin nothing
        };
        return _missing != 0;
    }

    // How many bytes at the end begin a character and lack its last bytes: 0 to 3.
    private static int LengthOfUnfinished(ReadOnlySpan<byte> bytes)
    {
        var end = bytes.Length;
        if (end == 0 || bytes[end - 1] < 0x80)
            return 0;
        if (bytes[end - 1] >= 0xC0)
            return 1;
        if (end >= 2 && bytes[end - 2] >= 0xC0)
            return bytes[end - 2] >= 0xE0 ? 2 : 0;
        return end >= 3 && bytes[end - 3] >= 0xF0 ? 3 : 0;
    }
}
