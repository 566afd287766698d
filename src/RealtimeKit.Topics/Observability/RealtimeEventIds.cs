namespace RealtimeKit.Topics;

/// <summary>
/// The ids of everything that RealtimeKit's packages log through <c>ILogger</c>: stable, and unique among all of them, so that a filter or
/// an alert can name one. An event's name is that of its constant. None of them carries a token, a ticket, a cookie, a query string, a payload or what a
/// client's cursor says.
/// </summary>
/// <remarks>
/// <list type="table">
/// <listheader><term>Ids</term><description>What they are about</description></listheader>
/// <item><term>1–9</term><description>Who is refused: handshake, origin, limits, expired authentication.</description></item>
/// <item><term>10–19</term><description>WebSockets: connected, closed and why.</description></item>
/// <item><term>20–39</term><description>Event streams: refused, opened, ended and why.</description></item>
/// <item><term>40–49</term><description>Endpoints for topics.</description></item>
/// <item><term>50–59</term><description>Tickets.</description></item>
/// <item><term>60–69</term><description>Expiry and refresh of an open connection's authentication.</description></item>
/// <item><term>70–79</term><description>The router on HttpListener.</description></item>
/// <item><term>80–89</term><description>The topic hub.</description></item>
/// <item><term>90–99</term><description>Redis.</description></item>
/// </list>
/// </remarks>
public static class RealtimeEventIds
{
    /// <summary>A WebSocket's opening handshake was refused: status, reason. Information.</summary>
    public const int HandshakeRefused = 1;

    /// <summary>A page was refused for its origin: its origin, the host. Information.</summary>
    public const int OriginRefused = 2;

    /// <summary>The same because TLS ends at a proxy that does not say so, with the fix; once. Warning.</summary>
    public const int SchemeDiffers = 3;

    /// <summary>A client went during the handshake, on HttpListener. Information.</summary>
    public const int HandshakeFailed = 4;

    /// <summary>A connection was refused by a limit: which, the user, the address. Information.</summary>
    public const int LimitReached = 5;

    /// <summary>A connection was refused because its authentication has expired: the user. Information.</summary>
    public const int ExpiredRefused = 6;

    /// <summary>A WebSocket connected: its user, its subprotocol. Debug.</summary>
    public const int Connected = 10;

    /// <summary>A WebSocket closed: status, who closed it, whether in order, what was said. Debug.</summary>
    public const int Closed = 11;

    /// <summary>A WebSocket's peer broke a rule: which, the status. Information.</summary>
    public const int ProtocolViolated = 12;

    /// <summary>A WebSocket's handler threw. Error, with the application's exception.</summary>
    public const int HandlerFailed = 13;

    /// <summary>A WebSocket's handler ended because its connection did. Debug.</summary>
    public const int HandlerInterrupted = 14;

    /// <summary>A WebSocket was ended because the process was short of memory and its peer held most: its user, how much. Warning.</summary>
    public const int MemoryShed = 15;

    /// <summary>An event stream was refused because its cursor is malformed or too long. Information.</summary>
    public const int CursorRefused = 20;

    /// <summary>An event stream was refused by the application: status. Debug.</summary>
    public const int StreamRefused = 21;

    /// <summary>An event stream opened: its user, whether it resumes. Debug.</summary>
    public const int StreamOpened = 30;

    /// <summary>An event stream ended: why, its age. Debug.</summary>
    public const int StreamEnded = 31;

    /// <summary>An event stream was cut off because the process was short of memory and its client read least: its user, how much waited. Warning.</summary>
    public const int StreamShed = 32;

    /// <summary>A request to an endpoint for topics was refused: status, reason. Information.</summary>
    public const int TopicsRefused = 40;

    /// <summary>A ticket was issued: the user, the origin, the endpoint. Information.</summary>
    public const int TicketIssued = 50;

    /// <summary>A ticket was not issued: the user, the origin, why. Information.</summary>
    public const int TicketNotIssued = 51;

    /// <summary>A ticket was redeemed: the user, the origin, the endpoint. Information.</summary>
    public const int TicketRedeemed = 52;

    /// <summary>A ticket was refused: the user where it is known, the origin, the endpoint, why. Information.</summary>
    public const int TicketRefused = 53;

    /// <summary>The store of tickets could not be reached. Error.</summary>
    public const int TicketStoreFailed = 54;

    /// <summary>A connection is closed because its authentication has expired: the user. Information.</summary>
    public const int AuthenticationExpired = 60;

    /// <summary>A connection's authentication was refreshed: the user, until when. Information.</summary>
    public const int AuthenticationRefreshed = 61;

    /// <summary>A refresh was refused: the connection's user, why. Warning.</summary>
    public const int RefreshRefused = 62;

    /// <summary>A router stops. Debug.</summary>
    public const int RouterStopping = 70;

    /// <summary>Handlers did not end after their connections were aborted: how many. Warning.</summary>
    public const int HandlersLeft = 71;

    /// <summary>A request could not be accepted. Error.</summary>
    public const int AcceptFailed = 72;

    /// <summary>A router refused a request: status. Debug.</summary>
    public const int RequestRefused = 73;

    /// <summary>A handler of a router threw. Error, with the application's exception.</summary>
    public const int RequestHandlerFailed = 74;

    /// <summary>A subscriber threw when it was told of its end. Error, with its exception.</summary>
    public const int SubscriberFailed = 80;

    /// <summary>Connections or presence could not be told to other nodes. Warning.</summary>
    public const int PresenceFailed = 81;

    /// <summary>A request of a client failed in the application.s own code. Error, with its exception.</summary>
    public const int ClientRequestFailed = 82;

    /// <summary>A connection to Redis is lost. Warning.</summary>
    public const int RedisConnectionLost = 90;

    /// <summary>It is back. Information.</summary>
    public const int RedisConnectionRestored = 91;

    /// <summary>A topic could not be read from Redis and is tried again. Warning.</summary>
    public const int RedisReadFailed = 92;

    /// <summary>A topic could not be brought up to date. Error.</summary>
    public const int RedisCatchUpFailed = 93;

    /// <summary>A topic's history was lost in Redis: a new epoch has begun. Warning.</summary>
    public const int RedisEpochChanged = 94;

    /// <summary>A topic could not be compared with Redis. Error.</summary>
    public const int RedisSweepFailed = 95;
}
