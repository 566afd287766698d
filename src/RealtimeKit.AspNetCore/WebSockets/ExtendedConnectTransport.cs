using System.Buffers;
using Microsoft.AspNetCore.Http.Features;
using RealtimeKit.WebSockets;

namespace RealtimeKit.AspNetCore;

/// <summary>
/// The stream of an extended CONNECT (RFC 8441). Its end is END_STREAM in both directions, and where the peer does not send its own, a reset:
/// what the peer has sent and nobody read comes off the window of all that share the connection (RFC 9113 §5.2) until the stream has ended,
/// which for Kestrel it has not while a response waits for a peer that does not read.
/// </summary>
internal sealed class ExtendedConnectTransport(Stream stream, AcceptedWebSocket accepted, TimeProvider clock, CancellationToken peerGone)
    : StreamTransport(stream, leaveOpen: true, flushes: false, accepted, peerGone: peerGone)
{
    // For a peer to answer END_STREAM with its own, and what it may send until then: what it had under way.
    private static readonly TimeSpan LingerTimeout = TimeSpan.FromMilliseconds(900);
    private const int LingerBytes = 1024 * 1024;
    private const int NoError = 0;   // RFC 9113 §7

    private volatile bool _isAborted;

    public override void Abort()
    {
        _isAborted = true;
        base.Abort();
    }

    public override async ValueTask CloseAsync()
    {
        if (_isAborted)
            return;

        var completing = Task.CompletedTask;
        accepted.With(context => completing = context.Response.CompleteAsync());
        await completing.ConfigureAwait(false);
        if (!await HasPeerEndedAsync().ConfigureAwait(false))
            accepted.With(static context => context.Features.Get<IHttpResetFeature>()?.Reset(NoError));
    }

    private async Task<bool> HasPeerEndedAsync()
    {
        using var deadline = new CancellationTokenSource(LingerTimeout, clock);
        var buffer = ArrayPool<byte>.Shared.Rent(4096);
        try
        {
            for (var left = LingerBytes; left > 0;)
            {
                var count = await Stream.ReadAsync(buffer, deadline.Token).ConfigureAwait(false);
                if (count == 0)
                    return true;
                left -= count;
            }
        }
#pragma warning disable CA1031 // The deadline has passed, or the peer has reset its stream: both leave nothing to wait for.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return false;
    }
}
