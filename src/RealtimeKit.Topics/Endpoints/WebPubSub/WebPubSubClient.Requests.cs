using System.Buffers;
using System.Net.WebSockets;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Topics;

// The client's requests, one after the other. What is refused is answered where the client wants an answer; what is not as the protocol has
// it and cannot be answered ends the connection.
internal sealed partial class WebPubSubClient
{
    private static readonly Action<ulong, IBufferWriter<byte>> WriteSuccess = WebPubSubMessages.WriteSuccess;

    private static readonly Refusal Unavailable = new(WebPubSubMessages.InternalServerError, "Topics are not available now. Try again.");

    /// <summary>Handles a message.</summary>
    /// <returns>Whether the connection goes on.</returns>
    private ValueTask<bool> HandleAsync(in WebSocketMessage message)
    {
        if (message.Type != WebSocketMessageType.Text)
            return EndAsync(WebSocketCloseStatus.InvalidMessageType, "Requests are text.");
        if (!TryRead(message.Payload, out var request))
            return EndAsync(WebSocketCloseStatus.InvalidPayloadData, "The request is not a JSON object.");
        if (request.Error is not null && request is { AckId: null, InvocationId: null })
            return EndAsync(WebSocketCloseStatus.PolicyViolation, request.Error);
        switch (request)
        {
            case { Error: not null }:
                break;
            case { Kind: WebPubSubRequestKind.Ping }:
                return AnsweredAsync(_connection!.SendAsync(WebPubSubMessages.Pong, WebSocketMessageType.Text));
            case { Kind: WebPubSubRequestKind.SequenceAck }:
                session?.Acknowledge(request.SequenceId);
                return new ValueTask<bool>(true);
            case { Kind: WebPubSubRequestKind.CancelInvocation }:
                return new ValueTask<bool>(true);
        }

        return AnsweredAsync(AnswerAsync(request));
    }

    private static bool TryRead(in ReadOnlySequence<byte> message, out WebPubSubRequest request)
    {
        if (message.IsSingleSegment)
            return WebPubSubRequestReader.TryRead(message.FirstSpan, out request);
        var length = (int)message.Length;
        var whole = ArrayPool<byte>.Shared.Rent(length);
        message.CopyTo(whole);
        var isRead = WebPubSubRequestReader.TryRead(whole.AsSpan(0, length), out request);
        ArrayPool<byte>.Shared.Return(whole);
        return isRead;
    }

    private static async ValueTask<bool> AnsweredAsync(ValueTask answer)
    {
        await answer.ConfigureAwait(false);
        return true;
    }

    private async ValueTask<bool> EndAsync(WebSocketCloseStatus status, string reason)
    {
        await FailAsync(status, reason).ConfigureAwait(false);
        return false;
    }

    private async ValueTask AnswerAsync(WebPubSubRequest asked)
    {
        var isAgain = asked is { Error: null, AckId: { } known } && _ackIds.Contains(known);
        var refusal = asked.Error is not null ? new Refusal(WebPubSubMessages.BadRequest, asked.Error)
            : isAgain ? new Refusal(WebPubSubMessages.Duplicate, "The request with this ackId was carried out already.")
            : await CarryOutAsync(asked).ConfigureAwait(false);
        if (asked.Kind == WebPubSubRequestKind.Invoke && asked.InvocationId is { } invocation)
        {
            var failure = WebPubSubMessages.CreateInvocationFailure(invocation, refusal!.Value.Name, refusal.Value.Message);
            await _connection!.SendAsync(failure, WebSocketMessageType.Text).ConfigureAwait(false);
            return;
        }

        if (asked.AckId is not { } ackId)
            return;
        if (refusal is { Name: var name, Message: var message })
        {
            await _connection!.SendAsync(WebPubSubMessages.CreateFailure(ackId, name, message), WebSocketMessageType.Text).ConfigureAwait(false);
            return;
        }

        _ackIds.Add(ackId);
        await _connection!.SendAsync(WebSocketMessageType.Text, ackId, WriteSuccess).ConfigureAwait(false);
    }

    /// <summary>Does what was asked for.</summary>
    /// <returns>Why not; <see langword="null"/> where it was done.</returns>
    private async ValueTask<Refusal?> CarryOutAsync(WebPubSubRequest asked)
    {
        try
        {
            return asked.Kind switch
            {
                WebPubSubRequestKind.JoinGroup => await JoinAsync(asked.Name!).ConfigureAwait(false),
                WebPubSubRequestKind.LeaveGroup => await LeaveAsync(asked.Name!).ConfigureAwait(false),
                WebPubSubRequestKind.SendToGroup => await PublishAsync(asked).ConfigureAwait(false),
                WebPubSubRequestKind.Event => await RaiseAsync(asked).ConfigureAwait(false),
                _ => new Refusal(WebPubSubMessages.BadRequest, "This server answers no invocations: send an event."),
            };
        }
        catch (TopicLimitException limit)
        {
            return new Refusal(WebPubSubMessages.BadRequest, limit.Message);
        }
        catch (UnauthorizedAccessException)
        {
            return new Refusal(WebPubSubMessages.Forbidden, "You may not do that.");
        }
        catch (TopicEngineException)
        {
            return Unavailable;
        }
        catch (Exception error)
        {
            // The application's own delegates; or the subscription has just ended, and so does the connection.
            if (Subscription.End is null)
                Hub.LogRequestFailed(error);
            return new Refusal(WebPubSubMessages.InternalServerError, "The request failed.");
        }
    }

    private async ValueTask<Refusal?> JoinAsync(string group)
    {
        if (!MayName(group))
            return new Refusal(WebPubSubMessages.Forbidden, "You may not join this group.");
        try
        {
            await Subscription.AddAsync(group).ConfigureAwait(false);
            return null;
        }
        catch (TopicAccessDeniedException)
        {
            return new Refusal(WebPubSubMessages.Forbidden, "You may not join this group.");
        }
    }

    private async ValueTask<Refusal?> LeaveAsync(string group)
    {
        await Subscription.RemoveAsync(group).ConfigureAwait(false);
        return null;
    }

    private async ValueTask<Refusal?> PublishAsync(WebPubSubRequest asked)
    {
        if (asked.Data.Length > Hub.Options.MaxPayloadSize)
            return new Refusal(WebPubSubMessages.BadRequest, $"The data has more than {Hub.Options.MaxPayloadSize} bytes.");

        // Asked for every message: what a user may do can change while it is connected.
        if (!MayName(asked.Name!) || !await Hub.AuthorizeAsync(request.User, asked.Name!, TopicAction.Publish).ConfigureAwait(false))
            return new Refusal(WebPubSubMessages.Forbidden, "You may not publish to this group.");
        var publish = new TopicPublishOptions
        {
            MessageType = asked.MessageType,
            IsJson = asked.IsJson,
            UserId = UserId,
            ExcludedConnection = asked.NoEcho ? Id : null,
        };
        await Hub.PublishAsync(asked.Name!, asked.Data, publish).ConfigureAwait(false);
        return null;
    }

    private async ValueTask<Refusal?> RaiseAsync(WebPubSubRequest asked)
    {
        if (options.OnEvent is not { } onEvent)
            return new Refusal(WebPubSubMessages.BadRequest, "This server takes no events.");
        await onEvent(new WebPubSubEvent(Id, UserId, request.User, asked), _connection!.Closed).ConfigureAwait(false);
        return null;
    }

    private bool MayName(string group) => groups is null || groups.Contains(group);

    private readonly record struct Refusal(string Name, string Message);
}
