using System.Globalization;
using System.Text;

namespace RealtimeKit.Benchmarks.Micro.Compression;

/// <summary>Messages as an application sends them: of one kind, and no two alike.</summary>
internal static class JsonMessages
{
    public const int Count = 64;

    public static byte[][] Create(int size) => [.. Enumerable.Range(0, Count).Select(seed => Create(size, new Random(seed)))];

    private static byte[] Create(int size, Random random)
    {
        string[] names = ["alice", "bob", "carol", "dave", "eve", "mallory"];
        string[] states = ["active", "pending", "closed", "failed"];
        var json = new StringBuilder("{\"items\":[");
        while (json.Length < size)
            json.Append(CultureInfo.InvariantCulture, $"{{\"id\":{random.Next(1, 1_000_000)},\"name\":\"{names[random.Next(6)]}\",\"state\":\"{states[random.Next(4)]}\",")
                .Append(CultureInfo.InvariantCulture, $"\"price\":{random.Next(100_000) / 100.0:F2},\"at\":\"2026-11-{random.Next(1, 29):00}T{random.Next(24):00}:{random.Next(60):00}:{random.Next(60):00}Z\"}},");
        return Encoding.ASCII.GetBytes(json.ToString(0, size));
    }
}
