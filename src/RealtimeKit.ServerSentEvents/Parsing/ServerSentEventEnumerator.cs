using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;

namespace RealtimeKit.ServerSentEvents;

/// <summary>Enumerates a source's events. Those that have arrived are given without any asynchronous machinery.</summary>
internal sealed class ServerSentEventEnumerator<T>(
    ServerSentEventSource source, ServerSentEventItemFactory<T> factory, CancellationToken cancellationToken)
    : IAsyncEnumerable<SseItem<T>>, IAsyncEnumerator<SseItem<T>>
{
    private CancellationToken _cancellation = cancellationToken;
    private CancellationTokenSource? _linked;
    private int _isEnumerated;

    public SseItem<T> Current { get; private set; }

    public IAsyncEnumerator<SseItem<T>> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        if (Interlocked.Exchange(ref _isEnumerated, 1) != 0)
            throw new InvalidOperationException("The events of a stream can be enumerated once.");
        if (!_cancellation.CanBeCanceled)
        {
            _cancellation = cancellationToken;
        }
        else if (cancellationToken.CanBeCanceled && cancellationToken != _cancellation)
        {
            _linked = CancellationTokenSource.CreateLinkedTokenSource(_cancellation, cancellationToken);
            _cancellation = _linked.Token;
        }

        return this;
    }

    public ValueTask<bool> MoveNextAsync() => TryRead() ? new ValueTask<bool>(true) : WaitAsync();

    public async ValueTask DisposeAsync()
    {
        await source.DisposeAsync().ConfigureAwait(false);
        _linked?.Dispose();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> WaitAsync()
    {
        while (await source.FillAsync(_cancellation).ConfigureAwait(false))
        {
            if (TryRead())
                return true;
        }

        return false;
    }

    private bool TryRead()
    {
        while (source.TryRead(out var view))
        {
            if (view.Kind != ServerSentEventItemKind.Event)
                continue;
            Current = factory.Create(view);
            return true;
        }

        return false;
    }
}
