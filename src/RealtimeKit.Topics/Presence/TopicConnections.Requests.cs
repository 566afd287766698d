using System.Collections.Concurrent;

namespace RealtimeKit.Topics;

public sealed partial class TopicConnections
{
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<Guid, TaskCompletionSource<ReadOnlyMemory<byte>>> _requests = new();

    /// <summary>Asks a connection something, on whichever node it is (<see cref="IRequestedConnection"/>).</summary>
    /// <param name="connectionId">The connection.</param>
    /// <param name="request">What.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Its answer; <see langword="null"/> where no node has such a connection.</returns>
    /// <exception cref="TopicEngineException">The other nodes cannot be reached, or the one that has it does not answer within 5 s.</exception>
    internal async ValueTask<ReadOnlyMemory<byte>?> RequestAsync(string connectionId, ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        if (Find(connectionId) is { } local)
            return local is IRequestedConnection connection ? await connection.HandleAsync(request, cancellationToken).ConfigureAwait(false) : null;
        if (_isAlone || (await ListAsync(TopicConnectionSelector.ById(connectionId), cancellationToken).ConfigureAwait(false)).Count == 0)
            return null;

        var id = Guid.NewGuid();
        var answer = _requests.GetOrAdd(id, static _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
        try
        {
            await _cluster.SendAsync(new ConnectionRequest(false, id, connectionId, request).Encode(), cancellationToken).ConfigureAwait(false);
            return await answer.Task.WaitAsync(RequestTimeout, _hub.Options.TimeProvider, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException error)
        {
            throw new TopicEngineException("The node that has the connection does not answer.", error);
        }
        finally
        {
            _requests.TryRemove(id, out _);
        }
    }

    private void Execute(in ConnectionRequest request)
    {
        if (!request.IsAnswer)
            _ = AnswerAsync(request);
        else if (_requests.TryGetValue(request.Id, out var answer))
            answer.TrySetResult(request.Payload);
    }

    private async Task AnswerAsync(ConnectionRequest request)
    {
        if (Find(request.ConnectionId) is not IRequestedConnection connection)
            return;

        // An answer takes as long as it takes the application to authorize: the cluster's commands go on meanwhile.
        await Task.Yield();
        try
        {
            var answer = await connection.HandleAsync(request.Payload, CancellationToken.None).ConfigureAwait(false);
            await _cluster.SendAsync((request with { IsAnswer = true, Payload = answer }).Encode(), CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            _hub.LogSubscriberFailed(error);
        }
    }
}
