namespace RealtimeKit.Topics.Tests;

internal static class Until
{
    public static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    /// <summary>Waits for a state. The bound is generous: it only keeps a failure from hanging.</summary>
    public static async Task True(Func<bool> condition)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            if (TimeProvider.System.GetElapsedTime(started) > Bound)
                throw new TimeoutException("The state that the test waits for did not come.");
            await Task.Delay(1);
        }
    }
}
