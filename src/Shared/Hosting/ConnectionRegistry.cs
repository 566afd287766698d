namespace RealtimeKit;

/// <summary>
/// The open connections of a host, WebSockets and event streams, so that its shutdown says goodbye to all of them: servers by
/// themselves wait for them in vain (Kestrel, for 30 seconds) or cut them off. An intrusive list: a connection costs no entry,
/// registration or token.
/// </summary>
internal sealed class ConnectionRegistry
{
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _isEmpty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IOpenConnection? _first;
    private bool _isStopping;

    public void Add(IOpenConnection connection)
    {
        bool isLate;
        lock (_lock)
        {
            connection.NextOpen = _first;
            if (_first is not null)
                _first.PreviousOpen = connection;
            _first = connection;
            isLate = _isStopping;
        }

        if (isLate)
            _ = connection.GoAwayAsync(CancellationToken.None);
    }

    public void Remove(IOpenConnection connection)
    {
        lock (_lock)
        {
            if (connection.PreviousOpen is { } previous)
                previous.NextOpen = connection.NextOpen;
            else if (_first == connection)
                _first = connection.NextOpen;
            if (connection.NextOpen is { } next)
                next.PreviousOpen = connection.PreviousOpen;
            connection.NextOpen = connection.PreviousOpen = null;
            if (_isStopping && _first is null)
                _isEmpty.TrySetResult();
        }
    }

    /// <summary>Tells every connection, and those that are still to come, that the server goes away; aborts those that do not end.</summary>
    /// <param name="timeout">How long they may take.</param>
    public async Task DrainAsync(TimeSpan timeout)
    {
        lock (_lock)
        {
            _isStopping = true;
            if (_first is null)
                return;
        }

        using var deadline = new CancellationTokenSource(timeout);
        try
        {
            // Each apart: on some hosts a write to a client that does not read holds its thread.
            await Task.WhenAll(List().Select(connection => Task.Run(() => connection.GoAwayAsync(deadline.Token)))).WaitAsync(deadline.Token).ConfigureAwait(false);
            await _isEmpty.Task.WaitAsync(deadline.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // A handler that is busy with something else is told by the abort that nobody is left to serve.
            foreach (var connection in List())
                connection.Abort();
        }
    }

    private List<IOpenConnection> List()
    {
        var list = new List<IOpenConnection>();
        lock (_lock)
        {
            for (var connection = _first; connection is not null; connection = connection.NextOpen)
                list.Add(connection);
        }

        return list;
    }
}
