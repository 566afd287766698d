namespace RealtimeKit.Topics;

/// <summary>
/// Where <see cref="TicketService"/> keeps what was issued until it is redeemed. It never sees a ticket, only its hash. In memory
/// (<see cref="MemoryTicketStore"/>) for one machine; several need one that they share (<c>AddRedisTickets</c> of RealtimeKit.Redis).
/// All members are safe from any thread.
/// </summary>
public interface ITicketStore
{
    /// <summary>Keeps a value until it is taken, or its lifetime is over.</summary>
    /// <param name="key">The key: unguessable, 43 characters of base64url, never used twice.</param>
    /// <param name="value">The value, which belongs to the store from here on.</param>
    /// <param name="lifetime">How long it may be taken.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns><see langword="false"/> where the store is full.</returns>
    /// <exception cref="TicketStoreException">The store cannot be reached.</exception>
    ValueTask<bool> TryAddAsync(string key, ReadOnlyMemory<byte> value, TimeSpan lifetime, CancellationToken cancellationToken);

    /// <summary>Takes a value out, atomically: of all that ask for a key, on all machines, one gets the value.</summary>
    /// <param name="key">The key.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The value; <see langword="null"/> where there is none (any more).</returns>
    /// <exception cref="TicketStoreException">The store cannot be reached.</exception>
    ValueTask<ReadOnlyMemory<byte>?> TakeAsync(string key, CancellationToken cancellationToken);
}
