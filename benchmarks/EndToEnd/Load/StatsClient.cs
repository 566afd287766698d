using System.Net.Http.Json;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>Reads the server's counters over one keep-alive connection.</summary>
internal sealed class StatsClient(int port) : IDisposable
{
    private readonly HttpClient _http = new() { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = TimeSpan.FromSeconds(60) };

    public ServerStats Get(string path) => Get<ServerStats>(path);

    public T Get<T>(string path)
        where T : class
    {
        try
        {
            return _http.GetFromJsonAsync<T>(path).GetAwaiter().GetResult()
                ?? throw new BenchmarkException($"{path} is empty");
        }
        catch (HttpRequestException exception)
        {
            throw new BenchmarkException($"{path} failed: {exception.Message}", exception);
        }
    }

    public void Dispose() => _http.Dispose();
}
