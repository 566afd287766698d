using System.Net.WebSockets;
using System.Threading.RateLimiting;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Listener.Tests.WebSockets;

/// <summary>Connections of applications that take their requests off the listener themselves.</summary>
public class OwnLoopTests
{
    [Theory(Timeout = Until.Bound)]
    [InlineData(true, false)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    public async Task RateLimits_ConnectionHasEnded_LimiterIsLetGo(bool isDisposed, bool hasNoLimit)
    {
        var limiter = new IdleLimiter(hasNoLimit);
        var options = new HttpListenerWebSocketOptions { RateLimits = new() { Messages = _ => RateLimitPartition.Get("key", _ => limiter) } };
        await using var server = TestServerHost.Listen();
        using var client = new ClientWebSocket();
        var connecting = client.ConnectAsync(server.Uri(), Until.Cancelled);
        var connection = (await (await server.Listener.GetContextAsync()).AcceptWebSocketConnectionAsync(options))!;
        await connecting;
        await client.SendAsync(new byte[1], WebSocketMessageType.Binary, true, Until.Cancelled);
        await connection.ReceiveAsync(Until.Cancelled);
        limiter.Acquired.Should().Be(1);
        if (isDisposed)
            await connection.DisposeAsync();
        else
            connection.Abort();
        await limiter.Disposed.Task;
    }

    /// <summary>One that nobody has used for long, as soon as no connection holds it; or one as <c>RateLimitPartition.GetNoLimiter</c> makes it.</summary>
    private sealed class IdleLimiter(bool hasNoLimit) : RateLimiter
    {
        private static readonly RateLimiter NoLimit = RateLimitPartition.GetNoLimiter("").Factory("");

        public int Acquired { get; private set; }

        public TaskCompletionSource Disposed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override TimeSpan? IdleDuration => hasNoLimit ? null : TimeSpan.FromHours(1);

        public override RateLimiterStatistics? GetStatistics() => hasNoLimit ? NoLimit.GetStatistics() : null;

        protected override RateLimitLease AttemptAcquireCore(int permitCount)
        {
            Acquired += permitCount;
            return new Lease();
        }

        protected override ValueTask<RateLimitLease> AcquireAsyncCore(int permitCount, CancellationToken cancellationToken) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            Disposed.TrySetResult();
            base.Dispose(disposing);
        }

        private sealed class Lease : RateLimitLease
        {
            public override bool IsAcquired => true;

            public override IEnumerable<string> MetadataNames => [];

            public override bool TryGetMetadata(string metadataName, out object? metadata)
            {
                metadata = null;
                return false;
            }
        }
    }
}
