using System.Diagnostics;
using System.Net.WebSockets;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Samples.Showcase;

/// <summary>The server's clock.</summary>
internal sealed class GameLoop(World world) : BackgroundService
{
    private const int StepsPerSecond = 60;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // A timer of 16 ms would make it 62.5 Hz: this one is finer, and the stopwatch says which steps are due.
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(4));
        var started = Stopwatch.GetTimestamp();
        long steps = 0;
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            var due = (long)(Stopwatch.GetElapsedTime(started).TotalSeconds * StepsPerSecond);
            if (due == steps)
                continue;
            steps = Math.Max(steps, due - 3);   // after a pause of the process: go on from now
            while (steps < due)
            {
                world.Step(1f / StepsPerSecond);
                steps++;
            }

            if (world.IsEmpty)
                continue;
            var frame = new PreparedWebSocketMessage(world.Write((uint)steps), WebSocketMessageType.Binary);
            foreach (var player in world.Players)
                player.Send(frame);
        }
    }
}
