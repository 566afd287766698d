using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>
/// This program with another verb as a process of its own, bound to one core from its first instruction, so that the runtime sizes
/// itself for one. Ends with its parent, and is killed by its own id at the latest.
/// </summary>
internal sealed class Child : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Task<string> _errors;
    private readonly string _name;

    private Child(int core, string name, string[] arguments, string? assembly = null)
    {
        _name = name;
        var program = assembly is null ? Environment.ProcessPath! : "dotnet";
        var start = new ProcessStartInfo("taskset")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(core.ToString(CultureInfo.InvariantCulture));
        start.ArgumentList.Add(program);
        if (Path.GetFileNameWithoutExtension(program) == "dotnet")
            start.ArgumentList.Add(assembly ?? typeof(Child).Assembly.Location);
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);

        // taskset replaces itself by the program, so the id is the program's.
        _process = Process.Start(start) ?? throw new BenchmarkException($"{name} did not start");
        _errors = _process.StandardError.ReadToEndAsync();
    }

    /// <summary>Starts a server and waits for its port.</summary>
    public static Task<(Child Process, int Port)> StartServerAsync(int core, string name, params string[] arguments) =>
        StartServerAsync(core, name, assembly: null, arguments);

    /// <summary>Starts another program's server and waits for its port.</summary>
    public static async Task<(Child Process, int Port)> StartServerAsync(int core, string name, string? assembly, string[] arguments)
    {
        var child = new Child(core, name, ["server", "--with-parent", .. arguments], assembly);
        try
        {
            using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            var line = await child._process.StandardOutput.ReadLineAsync(timeout.Token);
            if (line?.StartsWith("PORT ", StringComparison.Ordinal) != true)
                throw new BenchmarkException($"{name} did not start: {line} {await child._errors}");
            return (child, int.Parse(line["PORT ".Length..], CultureInfo.InvariantCulture));
        }
        catch
        {
            await child.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a verb that prints one line of JSON.</summary>
    public static async Task<T> RunAsync<T>(int core, TimeSpan limit, string name, params string[] arguments)
    {
        await using var child = new Child(core, name, arguments);
        using var timeout = new CancellationTokenSource(limit);
        try
        {
            var output = await child._process.StandardOutput.ReadToEndAsync(timeout.Token);
            await child._process.WaitForExitAsync(timeout.Token);
            return child._process.ExitCode == 0
                ? JsonSerializer.Deserialize<T>(output)!
                : throw new BenchmarkException($"{name}: {(await child._errors).Trim()}");
        }
        catch (OperationCanceledException exception)
        {
            throw new BenchmarkException($"{name} took longer than {limit.TotalSeconds:0} s", exception);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }
        _process.Dispose();
    }

    public override string ToString() => _name;
}
