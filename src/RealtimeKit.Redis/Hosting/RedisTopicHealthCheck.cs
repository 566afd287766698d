using System.Diagnostics;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using RealtimeKit.Topics;
using StackExchange.Redis;

namespace RealtimeKit.Redis;

/// <summary>
/// Healthy while Redis answers on the connection that topics use, for commands and for notices:
/// <c>AddHealthChecks().AddCheck&lt;RedisTopicHealthCheck&gt;("redis-topics")</c>. Clients stay connected while it is not, so it is one for
/// readiness and alarms rather than for restarting.
/// </summary>
/// <param name="engine">The engine, as <c>AddRedis</c> registers it.</param>
public sealed class RedisTopicHealthCheck(RedisTopicEngine engine) : IHealthCheck
{
    /// <summary>Asks Redis; in the data, <c>seconds</c> that the answer took, and <c>topics</c> with subscribers on this node.</summary>
    /// <param name="context">The check's registration.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        var started = Stopwatch.GetTimestamp();
        try
        {
            var subscriber = await engine.Connection.GetSubscriberAsync(cancellationToken).ConfigureAwait(false);
            // A small script rather than PING: it also says that scripts may run and that this server is a primary.
            await engine.Cluster.RemoveAsync("health", "none", cancellationToken).ConfigureAwait(false);
            await subscriber.PingAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
            return HealthCheckResult.Healthy(data: new Dictionary<string, object>
            {
                ["seconds"] = Stopwatch.GetElapsedTime(started).TotalSeconds,
                ["topics"] = engine.FeedCount,
            });
        }
        catch (TopicEngineException exception)
        {
            return new HealthCheckResult(context.Registration.FailureStatus, exception.Message, exception);
        }
        catch (Exception exception) when (RedisConnection.IsRedis(exception))
        {
            return new HealthCheckResult(context.Registration.FailureStatus, "Redis does not answer on the connection for notices.", exception);
        }
    }
}
