using Microsoft.Extensions.Time.Testing;

namespace RealtimeKit.Tests;

internal static class FakeTimeProviderExtensions
{
    /// <summary>Lets time pass in steps of the timers' own, each of which then sees its own time.</summary>
    public static void Pass(this FakeTimeProvider time, TimeSpan duration)
    {
        for (var step = TimeSpan.FromMilliseconds(250); duration > TimeSpan.Zero; duration -= step)
            time.Advance(duration < step ? duration : step);
    }
}
