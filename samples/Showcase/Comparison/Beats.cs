using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json.Serialization;

namespace RealtimeKit.Samples.Showcase;

/// <summary>A beat every 50 ms of the clock. They have no history to keep: what beat a number is can be computed.</summary>
internal static class Beats
{
    private const int Interval = 50;
    private const int MaxReplay = 1000;

    /// <summary>Those after a number that have been, at most 1,000, then each at its time; without a number from now.</summary>
    public static async IAsyncEnumerable<Beat> After(string? number, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var first = (long)Now() / Interval + 1;
        var next = first;
        if (long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var last) && last < first)
            next = Math.Max(last + 1, first - MaxReplay);
        while (true)
        {
            var wait = next * Interval - Now();
            if (wait > 0)
                await Task.Delay(TimeSpan.FromMilliseconds(wait), cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
            yield return new Beat(next, Math.Round(Now(), 3), next < first, 0, 100 + Math.Round(10 * Math.Sin(next / 20.0), 2));
            next++;
        }
    }

    // Milliseconds since 1970, as fine as the clock is.
    private static double Now() => (DateTimeOffset.UtcNow - DateTimeOffset.UnixEpoch).TotalMilliseconds;
}

/// <summary>One message of the comparison.</summary>
/// <param name="Number">One more each time.</param>
/// <param name="At">When it was sent, in milliseconds since 1970.</param>
/// <param name="IsReplay">Whether it was due before the connection was there.</param>
/// <param name="Bytes">What its connection had sent before.</param>
/// <param name="Value">Something to tell.</param>
internal sealed record Beat(long Number, double At, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool IsReplay, long Bytes, double Value);
