namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>Starts servers and loads, and writes the report.</summary>
internal static class RunProgram
{
    public static async Task<int> RunAsync(Arguments arguments)
    {
        var cores = Cores.Choose();
        await SelfCheck.VerifyAsync(cores);

        var quick = arguments.Has("quick");
        var names = arguments.List("impl", quick ? "framework,ours,bare-pipes" : "framework,ours,bare-stream,bare-pipes");
        var note = arguments.Text("note", "");
        var settings = new EchoSettings(
            [.. from size in arguments.Numbers("size", quick ? "125" : "16,125,1024,16384")
                from connections in arguments.Numbers("connections", quick ? "50" : "1,50,500")
                from depth in arguments.Numbers("depth", "1,16")
                select new EchoConfiguration(size, connections, depth)],
            arguments.Number("rounds", quick ? 2 : 3),
            arguments.Seconds("seconds", quick ? 1 : 2),
            arguments.Seconds("warmup", quick ? 0.5 : 1),
            FirstWarmup: quick ? 2 : 5);

        var only = arguments.Text("only", "");
        List<EchoRow> echo = [];
        if (only != "idle")
            echo = await EchoBenchmark.RunAsync([.. names.Select(Contender.Echo)], settings, cores);
        List<(string, IdleResult[])> idle = [];
        if (only != "echo")
        {
            var idleConnections = arguments.Number("idle", quick ? 1_000 : 10_000);
            idle = await IdleBenchmark.RunAsync([.. Contender.Idle(names)], idleConnections, quick ? 1 : settings.Rounds, cores);
        }

        await SaveAsync(arguments, "EndToEnd.md", Report.Write(Command(arguments), settings, echo, idle, note.Trim()));
        return 0;
    }

    /// <summary>Prints a report, and writes it to <c>--report</c>; by itself to the committed one, unless the run was a quick or a partial one.</summary>
    public static async Task SaveAsync(Arguments arguments, string name, string report)
    {
        Console.WriteLine(report);
        var path = arguments.Text("report", arguments.Has("quick") || arguments.Has("only") ? "none" : Path.Combine(RepositoryRoot(), "benchmarks", "reports", name));
        if (path == "none")
            return;
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        await File.WriteAllTextAsync(path, report);
        Console.Error.WriteLine($"Written to {path}");
    }

    public static string Command(Arguments arguments) =>
        $"dotnet run -c Release --project benchmarks/EndToEnd -- {arguments}";

    public static string RepositoryRoot()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
            if (File.Exists(Path.Combine(folder, "RealtimeKit.sln")))
                return folder;
        return Environment.CurrentDirectory;
    }
}
