using System.Security.Cryptography;
using RealtimeKit.Topics;
using StackExchange.Redis;

namespace RealtimeKit.Redis;

/// <summary>Commands over a channel that all nodes of the application listen to, and sets whose members expire by Redis' clock.</summary>
internal sealed class RedisTopicCluster(RedisConnection connection, RedisKeys keys, CancellationToken stopping) : ITopicCluster, IAsyncDisposable
{
    private const int MembersAtATime = 256;
    private const int CallsAtATime = 256;
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(250);

    private readonly Lock _lock = new();
    private Func<ReadOnlyMemory<byte>, ValueTask>? _handler;
    private Task _listening = Task.CompletedTask;
    private ChannelMessageQueue? _commands;

    public string NodeId { get; } = RandomNumberGenerator.GetHexString(32, lowercase: true);

    public void OnCommand(Func<ReadOnlyMemory<byte>, ValueTask> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        lock (_lock)
        {
            if (_handler is not null)
                throw new InvalidOperationException("Commands are handled already.");
            _handler = handler;
            _listening = Task.Run(ListenAsync, CancellationToken.None);
        }
    }

    public async ValueTask SendAsync(ReadOnlyMemory<byte> command, CancellationToken cancellationToken)
    {
        var subscriber = await connection.GetSubscriberAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // This node gets its own commands too, once it listens.
            if (!_listening.IsCompleted && connection.IsConnected)
                await _listening.WaitAsync(cancellationToken).ConfigureAwait(false);
            await subscriber.PublishAsync(keys.Nodes, command).WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (RedisConnection.IsRedis(exception))
        {
            throw RedisConnection.Failed(exception);
        }
    }

    public async ValueTask SetAsync(ReadOnlyMemory<TopicClusterEntry> entries, TimeSpan lifetime, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(lifetime, TimeSpan.Zero);
        var calls = new List<Task>();
        foreach (var set in entries.ToArray().GroupBy(static entry => entry.Set, StringComparer.Ordinal))
        {
            foreach (var members in set.Chunk(MembersAtATime))
            {
                var arguments = new RedisValue[1 + (members.Length * 2)];
                arguments[0] = Math.Max((long)lifetime.TotalMilliseconds, 1);
                for (var i = 0; i < members.Length; i++)
                {
                    arguments[1 + (i * 2)] = members[i].Member;
                    arguments[2 + (i * 2)] = members[i].Value;
                }

                if (calls.Count == CallsAtATime)
                {
                    await Task.WhenAll(calls).ConfigureAwait(false);
                    calls.Clear();
                }

                calls.Add(connection.EvaluateAsync(RedisScripts.SetMembers, [keys.Members(set.Key), keys.MemberTimes(set.Key)], arguments, cancellationToken));
            }
        }

        await Task.WhenAll(calls).ConfigureAwait(false);
    }

    public async ValueTask<bool> RemoveAsync(string setName, string member, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(setName);
        ArgumentNullException.ThrowIfNull(member);
        var result = await connection.EvaluateAsync(
            RedisScripts.RemoveMember, [keys.Members(setName), keys.MemberTimes(setName)], [member], cancellationToken).ConfigureAwait(false);
        return (int)result == 1;
    }

    public async ValueTask<IReadOnlyList<TopicClusterEntry>> ListAsync(string setName, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(setName);
        var result = await connection.EvaluateAsync(
            RedisScripts.ListMembers, [keys.Members(setName), keys.MemberTimes(setName)], [], cancellationToken).ConfigureAwait(false);
        var members = new List<TopicClusterEntry>(result.Length / 2);
        for (var i = 0; i + 1 < result.Length; i += 2)
            members.Add(new TopicClusterEntry(setName, (string)result[i]!, (byte[]?)result[i + 1]));
        return members;
    }

    public async ValueTask DisposeAsync()
    {
        Task listening;
        lock (_lock)
            listening = _listening;
        await listening.ConfigureAwait(false);
        // The connection may be the application's own, and stay.
        if (_commands is not null)
            await RedisConnection.UnsubscribeAsync(_commands).ConfigureAwait(false);
    }

    // Once subscribed, the client subscribes again by itself whenever the connection is back.
    private async Task ListenAsync()
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                _commands = await connection.SubscribeAsync(keys.Nodes, stopping).ConfigureAwait(false);
                _commands.OnMessage(message => HandleAsync(message.Message));
                return;
            }
            catch (Exception exception) when (RedisConnection.IsRedis(exception) || exception is TopicEngineException or InvalidOperationException)
            {
                await Task.Delay(RetryDelay, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task HandleAsync(RedisValue command)
    {
        try
        {
            await _handler!((byte[]?)command ?? []).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // The contract: what a handler throws is dropped, and the next command is handled.
        }
    }
}
