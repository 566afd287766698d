using System.Globalization;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>The cores that this process may use: one goes to the server, another to the load.</summary>
internal static class Cores
{
    public static (int Server, int Load) Choose()
    {
        var list = File.ReadLines("/proc/self/status").First(line => line.StartsWith("Cpus_allowed_list:", StringComparison.Ordinal))
            .Split(':')[1].Trim();
        var cores = list.Split(',').SelectMany(Range).ToArray();
        return cores.Length > 1
            ? (cores[0], cores[^1])
            : throw new BenchmarkException("The benchmark needs two cores, one for the server and one for the load");
    }

    private static IEnumerable<int> Range(string text)
    {
        var ends = text.Split('-').Select(end => int.Parse(end, CultureInfo.InvariantCulture)).ToArray();
        return Enumerable.Range(ends[0], ends[^1] - ends[0] + 1);
    }
}
