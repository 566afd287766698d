using Microsoft.Extensions.Time.Testing;

namespace RealtimeKit.WebSockets.Tests.Connection.Kit;

/// <summary>Bounds that only a hang reaches, and steps of a fake clock.</summary>
internal static class Bounds
{
    public static readonly TimeSpan Generous = TimeSpan.FromSeconds(20);

    public static Task Within(this Task task) => task.WaitAsync(Generous);

    public static Task<T> Within<T>(this Task<T> task) => task.WaitAsync(Generous);

    public static Task Within(this ValueTask task) => task.AsTask().WaitAsync(Generous);

    public static Task<T> Within<T>(this ValueTask<T> task) => task.AsTask().WaitAsync(Generous);

    /// <summary>Waits for a state that another thread reaches.</summary>
    public static async Task Until(Func<bool> condition, string because = "the state is reached")
    {
        for (var i = 0; !condition(); i++)
        {
            if (i > 2000)
                condition().Should().BeTrue(because);
            await Task.Delay(i < 100 ? 1 : 10);
        }
    }

    /// <summary>Lets the wheel turn, tick by tick; between the ticks whatever they began gets the processor.</summary>
    public static async Task Pass(this FakeTimeProvider clock, TimeSpan time)
    {
        var tick = TimeSpan.FromMilliseconds(250);
        for (var passed = TimeSpan.Zero; passed < time; passed += tick)
        {
            clock.Advance(tick);
            await Task.Yield();
        }
    }

    /// <summary>Lets the wheel turn until a task has completed: for what needs some ticks, however other threads are scheduled.</summary>
    public static async Task<T> PassUntil<T>(this FakeTimeProvider clock, Task<T> task, TimeSpan atMost)
    {
        for (var passed = TimeSpan.Zero; passed < atMost && !task.IsCompleted; passed += TimeSpan.FromMilliseconds(250))
        {
            clock.Advance(TimeSpan.FromMilliseconds(250));
            await Task.WhenAny(task, Task.Delay(5));
        }

        return await task.Within();
    }
}
