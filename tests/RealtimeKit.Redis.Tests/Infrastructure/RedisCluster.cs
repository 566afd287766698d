namespace RealtimeKit.Redis.Tests;

/// <summary>Two primaries of a Redis Cluster, each with half of the slots: a script whose keys were in two slots would fail.</summary>
public sealed class RedisCluster : IAsyncDisposable
{
    private readonly RedisServer[] _servers;

    private RedisCluster(RedisServer[] servers) => _servers = servers;

    public string ConnectionString => _servers[0].ConnectionString;

    public static async Task<RedisCluster> StartAsync()
    {
        var servers = new[] { await RedisServer.StartAsync("--cluster-enabled", "yes"), await RedisServer.StartAsync("--cluster-enabled", "yes") };
        var cluster = new RedisCluster(servers);
        try
        {
            await cluster.JoinAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers)
            await server.DisposeAsync();
    }

    private async Task JoinAsync()
    {
        var servers = _servers;
        (await servers[0].ExecuteAsync("CLUSTER ADDSLOTSRANGE 0 8191")).Should().Be("+OK");
        (await servers[1].ExecuteAsync("CLUSTER ADDSLOTSRANGE 8192 16383")).Should().Be("+OK");
        (await servers[1].ExecuteAsync("CLUSTER SET-CONFIG-EPOCH 2")).Should().Be("+OK");
        (await servers[0].ExecuteAsync($"CLUSTER MEET 127.0.0.1 {servers[1].Port}")).Should().Be("+OK");
        foreach (var server in servers)
            await Eventually.TrueAsync(async () => await server.ExecuteAsync("GET x") is "$-1" || (await server.ExecuteAsync("GET x"))!.StartsWith("-MOVED", StringComparison.Ordinal));
        foreach (var server in servers)
            await Eventually.TrueAsync(async () => !(await server.ExecuteAsync("GET y"))!.StartsWith("-CLUSTERDOWN", StringComparison.Ordinal));
    }
}
