namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>
/// The loop that applications write: starts one message's send to everybody, then waits for those that did not complete at once, for a
/// socket takes one send at a time. A subscriber who does not read makes everybody wait.
/// </summary>
internal sealed class SendLoop<T>
    where T : notnull
{
    private readonly List<ValueTask> _pending = [];

    public SubscriberList<T> Members { get; } = new();

    /// <summary>Sends to every member. One call at a time.</summary>
    public async ValueTask SendAsync<TMessage>(TMessage message, Func<T, TMessage, ValueTask> send)
    {
        foreach (var member in Members.Snapshot())
        {
            try
            {
                var sending = send(member, message);
                if (!sending.IsCompletedSuccessfully)
                    _pending.Add(sending);
            }
#pragma warning disable CA1031 // Gone; its own handler takes it out of the list.
            catch (Exception)
#pragma warning restore CA1031
            {
            }
        }

        foreach (var sending in _pending)
        {
            try
            {
                await sending;
            }
#pragma warning disable CA1031 // As above.
            catch (Exception)
#pragma warning restore CA1031
            {
            }
        }
        _pending.Clear();
    }
}
