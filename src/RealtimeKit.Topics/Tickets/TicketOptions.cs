using System.Security.Claims;

namespace RealtimeKit.Topics;

/// <summary>How one-time tickets are issued and redeemed. Every value has a safe default and is validated where it is set.</summary>
public sealed class TicketOptions
{
    /// <summary>
    /// The endpoints for which tickets are issued, by their names or route patterns, as they stand in the mapping: <c>/live</c>. A ticket
    /// opens the one endpoint for which it was issued. Default: none.
    /// </summary>
    /// <exception cref="ArgumentException">A name is empty or longer than 256 characters.</exception>
    public IReadOnlyList<string> Endpoints
    {
        get;
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            if (value.Any(static name => name is null or { Length: 0 or > 256 }))
                throw new ArgumentException("An endpoint has a name of 1 to 256 characters.", nameof(value));
            field = [.. value];
        }
    } = [];

    /// <summary>How long a ticket may be redeemed: as long as it takes a page to open its connection. Default: 30 s.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1 s or more than 10 minutes.</exception>
    public TimeSpan Lifetime
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.FromSeconds(1));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, TimeSpan.FromMinutes(10));
            field = value;
        }
    } = TimeSpan.FromSeconds(30);

    /// <summary>The parameter of the query in which a ticket is looked for. Default: <c>ticket</c>.</summary>
    /// <exception cref="ArgumentException">The value is empty.</exception>
    public string Parameter
    {
        get;
        set
        {
            ArgumentException.ThrowIfNullOrWhiteSpace(value);
            field = value;
        }
    } = "ticket";

    /// <summary>
    /// The largest user that is kept with a ticket, in bytes of JSON: its authenticated identities and their claims. Default: 16 KiB.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive or more than 1 MiB.</exception>
    public int MaxUserSize
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 1 << 20);
            field = value;
        }
    } = 16 * 1024;

    /// <summary>
    /// Which claims are kept with a ticket: leave out what connections do not need, and any that is itself a secret, such as an access
    /// token. Default: <see langword="null"/>, all of them.
    /// </summary>
    public Func<Claim, bool>? IncludeClaim { get; set; }

    /// <summary>The clock. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; set => field = value ?? throw new ArgumentNullException(nameof(value)); } = TimeProvider.System;
}
