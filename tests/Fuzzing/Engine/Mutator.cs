using System.Buffers.Binary;

namespace RealtimeKit.Fuzzing;

/// <summary>Changes inputs: AFL's havoc, a dictionary, splices, and what the target itself knows of its shape.</summary>
internal sealed class Mutator(FuzzTarget target, FuzzRandom random)
{
    private static readonly byte[] Bytes8 = [0, 1, 2, 3, 7, 8, 15, 16, 31, 32, 63, 64, 100, 124, 125, 126, 127, 128, 129, 191, 192, 224, 240, 244, 254, 255];
    private static readonly uint[] Numbers =
        [0, 1, 2, 125, 126, 127, 128, 255, 256, 257, 1000, 1005, 1023, 1024, 1025, 4095, 4096, 4097, 32767, 32768, 65535, 65536, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF];

    private readonly IReadOnlyList<byte[]> _dictionary = target.Dictionary;

    public byte[] Next(IReadOnlyList<byte[]> corpus)
    {
        if (corpus.Count == 0 || random.Once(64))
            return Trim(target.Generate(random));

        // What came last led somewhere new: look there more often.
        var parent = corpus[random.Once(3) ? corpus.Count - 1 - random.Skewed(Math.Min(corpus.Count, 64)) : random.Next(corpus.Count)];
        if (random.Once(3) && target.Mutate(parent, random) is { } mutated)
        {
            if (random.Once(2))
                return Trim(mutated);
            parent = mutated;
        }

        var data = new List<byte>(parent);
        if (random.Once(12))
            Splice(data, random.Pick(corpus));
        for (var left = 1 << random.Next(5); left > 0; left--)
            Change(data);
        return Trim([.. data]);
    }

    private byte[] Trim(byte[] input) => input.Length <= target.MaxLength ? input : input[..target.MaxLength];

    private void Splice(List<byte> data, byte[] other)
    {
        var at = random.Next(data.Count + 1);
        data.RemoveRange(at, data.Count - at);
        data.AddRange(other.AsSpan(random.Next(other.Length + 1)).ToArray());
    }

    private void Change(List<byte> data)
    {
        if (data.Count == 0)
        {
            data.Add(random.NextByte());
            return;
        }

        var at = random.Next(data.Count);
        switch (random.Next(16))
        {
            case 0:
                data[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                data[at] = random.Pick(Bytes8);
                break;
            case 2:
                data[at] = random.NextByte();
                break;
            case 3:
                data[at] = (byte)(data[at] + random.Between(-16, 16));
                break;
            case 4:
                WriteNumber(data, at);
                break;
            case 5 or 6:
                data.RemoveRange(at, 1 + random.Skewed(data.Count - at));
                break;
            case 7:
                data.InsertRange(at, random.Bytes(1 + random.Skewed(16)));
                break;
            case 8:
                data.InsertRange(at, Enumerable.Repeat(random.Once(2) ? data[at] : random.NextByte(), 1 + random.Skewed(300)));
                break;
            case 9 or 10:
                Clone(data, at);
                break;
            case 11:
                Overwrite(data, at);
                break;
            case 12 or 13 or 14 when _dictionary.Count > 0:
                data.InsertRange(at, random.Pick(_dictionary));
                break;
            case 15 when _dictionary.Count > 0:
                var word = random.Pick(_dictionary);
                for (var i = 0; i < word.Length && at + i < data.Count; i++)
                    data[at + i] = word[i];
                break;
            default:
                data[at] = (byte)random.Between(32, 126);
                break;
        }
    }

    private void WriteNumber(List<byte> data, int at)
    {
        Span<byte> number = stackalloc byte[8];
        number.Clear();
        var value = random.Pick(Numbers) + (uint)(random.Once(3) ? random.Between(-2, 2) : 0);
        var size = 1 << random.Next(4);
        if (random.Once(2))
            BinaryPrimitives.WriteUInt64LittleEndian(number, value);
        else
            BinaryPrimitives.WriteUInt64BigEndian(number, (ulong)value << (64 - 8 * size));
        for (var i = 0; i < size && at + i < data.Count; i++)
            data[at + i] = number[i];
    }

    private void Clone(List<byte> data, int at)
    {
        var block = data.GetRange(at, 1 + random.Skewed(data.Count - at));
        var times = random.Once(10) ? random.Between(2, 40) : 1;
        var to = random.Next(data.Count + 1);
        for (var i = 0; i < times && data.Count < target.MaxLength; i++)
            data.InsertRange(to, block);
    }

    private void Overwrite(List<byte> data, int at)
    {
        var block = data.GetRange(at, 1 + random.Skewed(data.Count - at));
        var to = random.Next(data.Count);
        for (var i = 0; i < block.Count && to + i < data.Count; i++)
            data[to + i] = block[i];
    }
}
