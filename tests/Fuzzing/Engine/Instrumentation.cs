using System.Diagnostics;
using System.Reflection;

namespace RealtimeKit.Fuzzing;

/// <summary>A copy of this program whose assemblies under test count the branches they take.</summary>
internal static class Instrumentation
{
    private const string Marker = "instrumented";

    public static bool IsActive => File.Exists(Path.Combine(AppContext.BaseDirectory, Marker));

    /// <summary>Makes the copy, once for each build.</summary>
    /// <returns>The copy's program.</returns>
    public static string Prepare(string folder)
    {
        var source = AppContext.BaseDirectory;
        var assemblies = Directory.GetFiles(source, "RealtimeKit.*.dll").Where(static path => !path.Contains(".Fuzzing", StringComparison.Ordinal)).Order(StringComparer.Ordinal).ToArray();
        var stamp = string.Join('\n', assemblies.Append(Path.Combine(source, "RealtimeKit.Fuzzing.dll"))
            .Select(static path => $"{Path.GetFileName(path)} {AssemblyName.GetAssemblyName(path).Version} {Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(path)))}"));
        var program = Path.Combine(folder, "RealtimeKit.Fuzzing.dll");
        var marker = Path.Combine(folder, Marker);
        if (File.Exists(marker) && File.ReadAllText(marker) == stamp)
            return program;

        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
        Directory.CreateDirectory(folder);
        foreach (var path in Directory.GetFiles(source))
            File.Copy(path, Path.Combine(folder, Path.GetFileName(path)));
        foreach (var path in assemblies)
        {
            var copy = Path.Combine(folder, Path.GetFileName(path));
            foreach (var _ in SharpFuzz.Fuzzer.Instrument(copy, static _ => true, SharpFuzz.Options.Value))
            {
            }
        }

        File.WriteAllText(marker, stamp);
        return program;
    }

    /// <summary>Runs the copy with arguments and waits for it.</summary>
    public static int Start(string program, IEnumerable<string> arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("dotnet", [program, .. arguments]) { UseShellExecute = false })!;
        process.WaitForExit();
        return process.ExitCode;
    }
}
