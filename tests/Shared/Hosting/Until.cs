namespace RealtimeKit.Tests;

internal static class Until
{
    /// <summary>A bound on every test, far beyond what any needs: in milliseconds.</summary>
    public const int Bound = 60_000;

    public static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>Waits for a state that nothing announces.</summary>
    public static async Task TrueAsync(Func<bool> condition)
    {
        while (!condition())
            await Task.Delay(5, Cancelled);
    }
}
