using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using RealtimeKit.Topics;

namespace RealtimeKit.AspNetCore;

/// <summary>Who may ask for tickets.</summary>
public sealed class TicketEndpointOptions
{
    /// <summary>
    /// Which web pages may ask. Default: those of the same origin. Others are refused with 403; those that are listed get the CORS headers,
    /// and their preflight requests are answered.
    /// </summary>
    public OriginPolicy Origins { get; set => field = value ?? throw new ArgumentNullException(nameof(value)); } = OriginPolicy.SameOrigin;

    /// <summary>
    /// Whether pages of the other origins that <see cref="Origins"/> lists may send cookies along. Default: <see langword="false"/>. Without
    /// effect under <see cref="OriginPolicy.Any"/>.
    /// </summary>
    public bool AllowCredentials { get; set; }

    /// <summary>
    /// How often may be asked; without a permit, 429. It stays the application's to dispose. Default: 30 tickets at once for each user, and
    /// one more each second. <see langword="null"/> for no limit.
    /// </summary>
    public PartitionedRateLimiter<HttpContext>? Limiter { get; set; } = PartitionedRateLimiter.Create<HttpContext, string>(static context =>
        RateLimitPartition.GetTokenBucketLimiter(
            UserIds.Of(AnonymousUser.UserOf(context)) ?? "",
            static _ => new TokenBucketRateLimiterOptions
            {
                TokenLimit = 30,
                TokensPerPeriod = 1,
                ReplenishmentPeriod = TimeSpan.FromSeconds(1),
                QueueLimit = 0,
            }));
}
