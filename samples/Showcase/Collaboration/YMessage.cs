using System.Buffers;

namespace RealtimeKit.Samples.Showcase;

/// <summary>
/// What y-websocket's clients say, as y-protocols writes it: a number for the kind, for sync a second one, then a byte array with its
/// length before it. Numbers are 7 bits a byte, the lowest first.
/// </summary>
internal static class YMessage
{
    public const int Sync = 0;
    public const int Awareness = 1;
    public const int QueryAwareness = 3;

    public const int SyncStep1 = 0;
    public const int SyncStep2 = 1;
    public const int SyncUpdate = 2;

    /// <summary>“Send me everything”: step 1 with the state of somebody who has nothing.</summary>
    public static readonly byte[] AskForEverything = [Sync, SyncStep1, 1, 0];

    /// <summary>“That was everything”: step 2 with an update that changes nothing, after the updates themselves.</summary>
    public static readonly byte[] ThatWasEverything = [Sync, SyncStep2, 2, 0, 0];

    /// <summary>An update that changes nothing.</summary>
    public static readonly byte[] Nothing = [Sync, SyncUpdate, 2, 0, 0];

    public static byte[] Update(ReadOnlySpan<byte> update) => Write([Sync, SyncUpdate], update);

    public static byte[] AwarenessUpdate(ReadOnlySpan<byte> update) => Write([Awareness], update);

    public static bool TryReadNumber(ref ReadOnlySpan<byte> bytes, out ulong number)
    {
        number = 0;
        for (var i = 0; i < bytes.Length && i < 8; i++)   // JavaScript's numbers end at 2^53
        {
            number |= (ulong)(bytes[i] & 0x7F) << (7 * i);
            if (bytes[i] > 0x7F)
                continue;
            bytes = bytes[(i + 1)..];
            return true;
        }

        return false;
    }

    public static bool TryReadBytes(ref ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> value)
    {
        value = default;
        if (!TryReadNumber(ref bytes, out var length) || length > (ulong)bytes.Length)
            return false;
        value = bytes[..(int)length];
        bytes = bytes[(int)length..];
        return true;
    }

    public static void WriteNumber(IBufferWriter<byte> output, ulong number)
    {
        for (; number > 0x7F; number >>= 7)
            output.Write([(byte)(number | 0x80)]);
        output.Write([(byte)number]);
    }

    public static void WriteBytes(IBufferWriter<byte> output, ReadOnlySpan<byte> value)
    {
        WriteNumber(output, (ulong)value.Length);
        output.Write(value);
    }

    private static byte[] Write(ReadOnlySpan<byte> kind, ReadOnlySpan<byte> value)
    {
        var output = new ArrayBufferWriter<byte>(value.Length + 12);
        output.Write(kind);
        WriteBytes(output, value);
        return output.WrittenSpan.ToArray();
    }
}
