namespace RealtimeKit.ServerSentEvents.Tests;

public class WriteGateTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    private WriteGate _gate;
    private int _inside;
    private int _overlaps;

    [Fact]
    public void TryEnter_Held_Fails()
    {
        _gate.TryEnter().Should().BeTrue();
        _gate.IsHeld.Should().BeTrue();
        _gate.TryEnter().Should().BeFalse();
        _gate.Exit();
        _gate.IsHeld.Should().BeFalse();
        _gate.TryEnter().Should().BeTrue();
    }

    [Fact]
    public async Task EnterAsync_Held_IsHandedOverInOrder()
    {
        _gate.TryEnter();
        var first = _gate.EnterAsync(CancellationToken.None);
        var second = _gate.EnterAsync(CancellationToken.None);
        first.IsCompleted.Should().BeFalse();

        _gate.Exit();
        await first.WaitAsync(Bound, TestContext.Current.CancellationToken);
        second.IsCompleted.Should().BeFalse();
        _gate.TryEnter().Should().BeFalse("it was handed over, not set free");

        _gate.Exit();
        await second.WaitAsync(Bound, TestContext.Current.CancellationToken);
        _gate.Exit();
        _gate.IsHeld.Should().BeFalse();
    }

    [Fact]
    public async Task EnterAsync_Cancelled_IsPassedOver()
    {
        using var cancellation = new CancellationTokenSource();
        _gate.TryEnter();
        var cancelled = _gate.EnterAsync(cancellation.Token);
        var next = _gate.EnterAsync(CancellationToken.None);
        await cancellation.CancelAsync();
        await cancelled.Invoking(task => task).Should().ThrowAsync<OperationCanceledException>();
        next.IsCompleted.Should().BeFalse();

        _gate.Exit();
        await next.WaitAsync(Bound, TestContext.Current.CancellationToken);
        _gate.Exit();
        _gate.IsHeld.Should().BeFalse();
    }

    [Fact]
    public async Task EnterAsync_AlreadyCancelled_DoesNotEnter()
    {
        await _gate.EnterAsync(new CancellationToken(true)).Invoking(task => task).Should().ThrowAsync<OperationCanceledException>();
        _gate.IsHeld.Should().BeFalse();
    }

    [Fact]
    public async Task Enter_ManyAtOnceSomeCancelled_OneIsInsideAtATime()
    {
        const int Workers = 8;
        const int Rounds = 5_000;
        var entered = 0;
        await Task.WhenAll(Enumerable.Range(0, Workers).Select(worker => Task.Run(async () =>
        {
            for (var i = 0; i < Rounds; i++)
            {
                if (i % 3 == 0)
                {
                    if (!_gate.TryEnter())
                        continue;
                }
                else
                {
                    using var cancellation = new CancellationTokenSource();
                    var enter = _gate.EnterAsync(i % 3 == 1 ? cancellation.Token : CancellationToken.None);
                    if (i % 6 == 1)
                        await cancellation.CancelAsync();
                    await enter.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    if (!enter.IsCompletedSuccessfully)
                        continue;
                }

                if (Interlocked.Increment(ref _inside) != 1)
                    Interlocked.Increment(ref _overlaps);
                if (i % 16 == 0)
                    await Task.Yield();
                entered++;
                Interlocked.Decrement(ref _inside);
                _gate.Exit();
            }
        }))).WaitAsync(Bound, TestContext.Current.CancellationToken);

        _overlaps.Should().Be(0);
        _gate.IsHeld.Should().BeFalse("whoever enters leaves, and nobody is lost");
        entered.Should().BeGreaterThan(Rounds);
    }
}
