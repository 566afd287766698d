using System.Globalization;
using System.Runtime.CompilerServices;

namespace RealtimeKit.Samples.Showcase;

/// <summary>A beat every 50 ms of the clock. They have no history to keep: what beat a number is can be computed.</summary>
internal static class Beats
{
    private const int Interval = 50;
    private const int MaxReplay = 1000;

    /// <summary>Milliseconds since 1970, as fine as the clock is.</summary>
    public static double Now() => (DateTimeOffset.UtcNow - DateTimeOffset.UnixEpoch).TotalMilliseconds;

    /// <summary>Those after a number that have been, at most 1,000, then each at its time; without a number from now.</summary>
    public static async IAsyncEnumerable<Beat> After(string? number, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var next = (long)Now() / Interval + 1;
        if (long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var last) && last < next)
            next = Math.Max(last + 1, next - MaxReplay);
        while (true)
        {
            var wait = next * Interval - Now();
            if (wait > 0)
                await Task.Delay(TimeSpan.FromMilliseconds(wait), cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
            yield return new Beat(next, wait > 0 ? Now() : next * Interval, 0, 100 + Math.Round(10 * Math.Sin(next / 20.0), 2));
            next++;
        }
    }
}

/// <summary>One message of the comparison.</summary>
/// <param name="Number">One more each time.</param>
/// <param name="At">When it was sent first, in milliseconds since 1970.</param>
/// <param name="Bytes">What its connection had sent before.</param>
/// <param name="Value">Something to tell.</param>
internal sealed record Beat(long Number, double At, long Bytes, double Value);
