namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>Shows that the generator would notice: a server that flips one bit in every hundredth read must fail it.</summary>
internal static class SelfCheck
{
    public static async Task<int> RunAsync()
    {
        await VerifyAsync(Cores.Choose());
        Console.WriteLine("The generator passes a right echo and refuses a wrong one.");
        return 0;
    }

    public static async Task VerifyAsync((int Server, int Load) cores)
    {
        await LoadAsync(cores, "bare-stream");
        try
        {
            await LoadAsync(cores, "corrupt");
        }
        catch (BenchmarkException exception) when (exception.Message.Contains("The echo differs", StringComparison.Ordinal))
        {
            return;
        }
        throw new BenchmarkException("The generator did not notice a wrong echo");
    }

    private static async Task LoadAsync((int Server, int Load) cores, string implementation)
    {
        var (server, port) = await Child.StartServerAsync(cores.Server, implementation, "--impl", implementation);
        await using (server)
        {
            await Child.RunAsync<LoadResult>(
                cores.Load, TimeSpan.FromSeconds(60), implementation,
                "load", "--port", $"{port}", "--raw", "--connections", "2", "--depth", "4", "--warmup", "0.2", "--seconds", "0.2");
        }
    }
}
