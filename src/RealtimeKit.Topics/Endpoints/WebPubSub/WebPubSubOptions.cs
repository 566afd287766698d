using System.Runtime.CompilerServices;

namespace RealtimeKit.Topics;

/// <summary>
/// The subprotocols <c>json.webpubsub.azure.v1</c> and <c>json.reliable.webpubsub.azure.v1</c> of an endpoint, in which a group is a topic.
/// Who may join and publish is the topics' own (<see cref="TopicOptions"/>).
/// </summary>
public sealed class WebPubSubOptions
{
    /// <summary>
    /// Takes the events of clients, one after the other for each connection: its requests wait until the returned task completes. An
    /// <see cref="UnauthorizedAccessException"/> is answered as <c>Forbidden</c>, any other exception is logged and answered as
    /// <c>InternalServerError</c>. The token is cancelled when the connection has gone. Default: <see langword="null"/>, every event is refused.
    /// </summary>
    public Func<WebPubSubEvent, CancellationToken, ValueTask>? OnEvent { get; set; }

    /// <summary>
    /// How long a reliable connection can be recovered after its socket is lost. <see cref="TimeSpan.Zero"/> turns recovery off.
    /// Default: 60 s.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative or more than a day.</exception>
    public TimeSpan RecoveryWindow
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, TimeSpan.FromDays(1));
            field = value;
        }
    } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// The most reliable connections of the endpoint that are kept while they have no socket; of more, the one that lost its socket first is
    /// given up. Default: 10,000.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int MaxRecoverableConnections { get; set => field = InRange(value, 0, int.MaxValue); } = 10_000;

    /// <summary>
    /// The most messages of a reliable connection that its client has not acknowledged; then delivery waits, and the topics' policy for slow
    /// consumers acts. One batch (<see cref="TopicsOptions.BatchCount"/>) may come on top. Each takes 24 bytes, which are allocated as they
    /// are needed. Clients acknowledge about once a second. Default: 8,192.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not between 1 and 1,000,000.</exception>
    public int MaxUnacknowledgedMessages { get; set => field = InRange(value, 1, 1_000_000); } = 8192;

    /// <summary>
    /// How many of a connection's last <c>ackId</c>s are remembered, so that a request which is sent again is not carried out again but
    /// answered as <c>Duplicate</c>. Default: 1,024.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not between 0 and 1,000,000.</exception>
    public int RememberedAckIds { get; set => field = InRange(value, 0, 1_000_000); } = 1024;

    internal WebPubSubOptions Clone() => (WebPubSubOptions)MemberwiseClone();

    private static int InRange(int value, int minimum, int maximum, [CallerMemberName] string name = "")
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, minimum, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, maximum, name);
        return value;
    }
}
