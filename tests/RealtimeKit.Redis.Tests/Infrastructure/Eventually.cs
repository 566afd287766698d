using System.Diagnostics;

namespace RealtimeKit.Redis.Tests;

/// <summary>Waits for a state, however long a busy machine takes.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public static Task TrueAsync(Func<bool> condition, string because = "") => TrueAsync(() => Task.FromResult(condition()), because);

    public static async Task TrueAsync(Func<Task<bool>> condition, string because = "")
    {
        var begun = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            Stopwatch.GetElapsedTime(begun).Should().BeLessThan(Patience, "it must happen some time: {0}", because);
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }
}
