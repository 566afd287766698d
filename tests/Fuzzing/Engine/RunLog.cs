using System.Globalization;

namespace RealtimeKit.Fuzzing;

/// <summary>One line for each piece of fuzzing, and what they come to.</summary>
internal static class RunLog
{
    private const string Title =
        "# Fuzzing log\n\nOne line for each piece. `dotnet run -c Release --project tests/Fuzzing -- log` adds them up.\n\n"
        + "| date (UTC) | commit | target | seed | executions | exec/s | CPU minutes | corpus | edges | finds |\n|---|---|---|---|---|---|---|---|---|---|\n";

    public sealed record Piece(string Commit, string Target, ulong Seed, long Executions, double CpuSeconds, int Corpus, int Edges, int Finds);

    public static void Append(string path, Piece piece)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        if (!File.Exists(path))
            File.WriteAllText(path, Title);
        File.AppendAllText(path, string.Create(CultureInfo.InvariantCulture,
            $"| {DateTime.UtcNow:yyyy-MM-dd HH:mm} | {piece.Commit} | {piece.Target} | {piece.Seed} | {piece.Executions} | {piece.Executions / Math.Max(piece.CpuSeconds, 0.001):F0} | {piece.CpuSeconds / 60:F2} | {piece.Corpus} | {piece.Edges} | {piece.Finds} |\n"));
    }

    /// <summary>How many pieces a target has had.</summary>
    public static int Pieces(string path, FuzzTarget target) => Rows(path, target).Count();

    /// <summary>How many CPU minutes a target has had.</summary>
    public static double Minutes(string path, FuzzTarget target) => Rows(path, target).Sum(static row => double.Parse(row[7], CultureInfo.InvariantCulture));

    /// <summary>Prints each target's totals, and what it lacks.</summary>
    /// <returns>Whether none lacks anything.</returns>
    public static bool Print(string path, IReadOnlyList<FuzzTarget> targets, double wanted)
    {
        var isComplete = true;
        Console.WriteLine($"{"target",-12} {"pieces",6} {"executions",14} {"CPU min",8} {"edges",6} {"finds",5} {"missing",8}");
        foreach (var target in targets)
        {
            var own = Rows(path, target).ToArray();
            var minutes = own.Sum(static row => double.Parse(row[7], CultureInfo.InvariantCulture));
            var missing = Math.Max(0, wanted - minutes);
            isComplete &= missing < 0.01;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{target.Name,-12} {own.Length,6} {own.Sum(static row => long.Parse(row[5], CultureInfo.InvariantCulture)),14:N0} {minutes,8:F1} {own.Select(static row => int.Parse(row[9], CultureInfo.InvariantCulture)).DefaultIfEmpty().Max(),6} {own.Sum(static row => int.Parse(row[10], CultureInfo.InvariantCulture)),5} {missing,8:F1}"));
        }

        return isComplete;
    }

    private static IEnumerable<string[]> Rows(string path, FuzzTarget target) => !File.Exists(path) ? [] : File.ReadLines(path)
        .Select(static line => line.Split('|', StringSplitOptions.TrimEntries))
        .Where(row => row.Length > 10 && row[3] == target.Name);
}
