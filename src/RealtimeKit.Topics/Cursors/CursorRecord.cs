using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Numerics;
using System.Text;
using System.Text.Unicode;

namespace RealtimeKit.Topics;

/// <summary>
/// One topic in a cursor's text form: length of the name less 1, the widths of epoch and offset in bytes (a nibble each), the name as
/// UTF-8, epoch and offset as big-endian numbers without leading zeros, and zeros up to a multiple of three bytes, all as base64url.
/// There is one form of each record only, and records are whole characters: one can be replaced without touching the others.
/// </summary>
internal static class CursorRecord
{
    /// <summary>The first character of the text form, before the records.</summary>
    public const byte Version = (byte)'1';

    /// <summary>The longest record, in characters.</summary>
    public const int MaxLength = (MaxBytes + 2) / 3 * 4;

    private const int Header = 2;
    private const int MaxBytes = Header + TopicName.MaxLength + sizeof(ulong) + sizeof(ulong);

    private static readonly SearchValues<char> Alphabet =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    /// <summary>How long a topic's record can become, whatever its position.</summary>
    public static int MaxLengthFor(string topic) => Padded(Header + Encoding.UTF8.GetByteCount(topic) + sizeof(ulong) + sizeof(ulong)) / 3 * 4;

    /// <summary>Writes a record as ASCII and returns its length; <see cref="MaxLengthFor"/> the topic is enough room.</summary>
    public static int Write(string topic, TopicPosition position, Span<byte> destination)
    {
        Span<byte> record = stackalloc byte[Padded(MaxBytes)];
        record.Clear();
        Utf8.FromUtf16(topic, record[Header..], out _, out var name);
        var epoch = Width(position.Epoch);
        var offset = Width(position.Offset);
        record[0] = (byte)(name - 1);
        record[1] = (byte)((epoch << 4) | offset);
        WriteNumber(position.Epoch, record.Slice(Header + name, epoch));
        WriteNumber(position.Offset, record.Slice(Header + name + epoch, offset));
        return Base64Url.EncodeToUtf8(record[..Padded(Header + name + epoch + offset)], destination);
    }

    /// <summary>Reads a record and moves on behind it. Never throws.</summary>
    public static bool TryRead(ref ReadOnlySpan<char> text, out string topic, out TopicPosition position)
    {
        topic = "";
        position = default;
        Span<byte> record = stackalloc byte[Padded(MaxBytes)];
        if (!TryDecode(text, 4, record))
            return false;
        var name = record[0] + 1;
        var epoch = record[1] >> 4;
        var offset = record[1] & 15;
        var length = Padded(Header + name + epoch + offset);
        if (epoch > sizeof(ulong) || offset > sizeof(ulong) || !TryDecode(text, length / 3 * 4, record))
            return false;

        var utf8 = record.Slice(Header, name);
        var padding = record[(Header + name + epoch + offset)..length];
        if (padding.ContainsAnyExcept((byte)0)
            || !TryReadNumber(record.Slice(Header + name, epoch), out var epochValue)
            || !TryReadNumber(record.Slice(Header + name + epoch, offset), out var offsetValue)
            || !Utf8.IsValid(utf8))
            return false;
        topic = Encoding.UTF8.GetString(utf8);
        position = new TopicPosition(epochValue, offsetValue);
        text = text[(length / 3 * 4)..];
        return TopicName.IsValid(topic);
    }

    // The decoder of the BCL overlooks white space, which would give one cursor several forms.
    private static bool TryDecode(ReadOnlySpan<char> text, int length, Span<byte> destination) =>
        text.Length >= length
        && !text[..length].ContainsAnyExcept(Alphabet)
        && Base64Url.TryDecodeFromChars(text[..length], destination, out _);

    private static int Padded(int length) => (length + 2) / 3 * 3;

    private static int Width(ulong value) => (64 - BitOperations.LeadingZeroCount(value) + 7) / 8;

    private static void WriteNumber(ulong value, Span<byte> destination)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, value);
        bytes[(sizeof(ulong) - destination.Length)..].CopyTo(destination);
    }

    private static bool TryReadNumber(ReadOnlySpan<byte> source, out ulong value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        bytes.Clear();
        source.CopyTo(bytes[(sizeof(ulong) - source.Length)..]);
        value = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        return source.IsEmpty || source[0] != 0;
    }
}
