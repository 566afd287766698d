using System.Net.WebSockets;
using System.Security.Claims;
using System.Text;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Topics;

/// <summary>A WebSocket without a subprotocol.</summary>
/// <param name="hub">The topics.</param>
/// <param name="request">What the client asked for.</param>
/// <param name="publishTo">The topic to which what it sends is published; <see langword="null"/> where that is ignored.</param>
internal sealed class RawTopicClient(TopicHub hub, TopicRequest request, string? publishTo) : TopicClient(hub, request.UserId), ITopicSession
{
    private const int MaxReasonLength = 123;   // RFC 6455 §5.5: 125 bytes less the code

    private readonly ClaimsPrincipal? _publisher = publishTo is null ? null : request.User;
    private WebSocketConnection? _connection;

    public async Task RunAsync(WebSocketConnection connection)
    {
        _connection = connection;
        Attach(new WebSocketTopicSubscriber(connection));
        WebSocketCloseStatus? refusal = null;
        try
        {
            await foreach (var message in connection.ReadAllAsync().ConfigureAwait(false))
            {
                if (publishTo is not null && (refusal = await PublishAsync(message).ConfigureAwait(false)) is not null)
                    break;
            }
        }
        finally
        {
            // Before the closing handshake is waited for: nothing can be delivered any more.
            await DisposeAsync().ConfigureAwait(false);
        }

        if (refusal is { } status)
            await connection.CloseAsync(status).ConfigureAwait(false);
    }

    public override async ValueTask SendAsync(ReadOnlyMemory<byte> payload, WebSocketMessageType messageType, CancellationToken cancellationToken)
    {
        await Attached.WaitAsync(cancellationToken).ConfigureAwait(false);
        await _connection!.SendAsync(payload, messageType, cancellationToken).ConfigureAwait(false);
    }

    protected override async Task EndAsync(string? reason)
    {
        try
        {
            await Attached.ConfigureAwait(false);
            await _connection!.CloseAsync(WebSocketCloseStatus.PolicyViolation, Shorten(reason)).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // It never came to be, or has gone.
        }
    }

    /// <summary>As much of a reason as a Close frame holds, without cutting a character in two.</summary>
    internal static string? Shorten(string? reason)
    {
        if (reason is null)
            return null;
        var length = 0;
        var bytes = 0;
        foreach (var rune in reason.EnumerateRunes())
        {
            bytes += rune.Utf8SequenceLength;
            if (bytes > MaxReasonLength)
                break;
            length += rune.Utf16SequenceLength;
        }

        return reason[..length];
    }

    /// <summary>Publishes what the client sent.</summary>
    /// <returns>With which status to close instead; <see langword="null"/> where it was published.</returns>
    private async ValueTask<WebSocketCloseStatus?> PublishAsync(WebSocketMessage message)
    {
        if (message.Payload.Length > Hub.Options.MaxPayloadSize)
            return WebSocketCloseStatus.MessageTooBig;

        // Asked for every message: what a user may do can change while it is connected.
        if (!await Hub.AuthorizeAsync(_publisher!, publishTo!, TopicAction.Publish).ConfigureAwait(false))
            return WebSocketCloseStatus.PolicyViolation;
        try
        {
            var options = new TopicPublishOptions { MessageType = message.Type };
            await Hub.PublishAsync(publishTo!, message.ToArray(), options).ConfigureAwait(false);
            return null;
        }
        catch (TopicEngineException)
        {
            return (WebSocketCloseStatus)1013;   // try again later (IANA's registry of close codes)
        }
    }
}
