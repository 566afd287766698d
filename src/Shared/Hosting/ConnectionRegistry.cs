namespace RealtimeKit;

/// <summary>
/// The open connections of a host, WebSockets and event streams, so that its shutdown says goodbye to all of them: servers by
/// themselves wait for them in vain (Kestrel, for 30 seconds) or cut them off. An intrusive list: a connection costs no entry,
/// registration or token.
/// </summary>
internal sealed class ConnectionRegistry
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _isEmpty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IOpenConnection? _first;
    private bool _isStopping;
    private CancellationToken _deadline;

    public void Add(IOpenConnection connection)
    {
        lock (_lock)
        {
            if (_isEmpty.Task.IsCompleted)
                _isEmpty = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            connection.NextOpen = _first;
            if (_first is not null)
                _first.PreviousOpen = connection;
            _first = connection;
            if (!_isStopping)
                return;
        }

        // Its handshake was under way when the drain began.
        _ = EndAsync([connection]);
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
        // Outlives the drain: connections that are still to come have the same deadline. Its timer is all that there is to dispose.
        var deadline = new CancellationTokenSource(timeout).Token;
        lock (_lock)
        {
            _isStopping = true;
            _deadline = deadline;
            if (_first is null)
                return;
        }

        await EndAsync(List()).ConfigureAwait(false);
    }

    private async Task EndAsync(IEnumerable<IOpenConnection> connections)
    {
        try
        {
            // Each apart: on some hosts a write to a client that does not read holds its thread.
            await Task.WhenAll(connections.Select(connection => Task.Run(() => connection.GoAwayAsync(_deadline)))).WaitAsync(_deadline).ConfigureAwait(false);
            Task isEmpty;
            lock (_lock)
                isEmpty = _isEmpty.Task;
            await isEmpty.WaitAsync(_deadline).ConfigureAwait(false);
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
