using System.Text;
using System.Text.Json.Serialization;
using RealtimeKit.Topics;

static class Check
{
    public static async Task RunAsync(CancellationToken cancel)
    {
        await using var hub = new TopicHub();
        Printed.Begin();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var reading = ReadAsync(hub, new Goal(2, 1), hub, ending.Token);
        await Until.TrueAsync(() => hub.GetCursorAsync(["scores/42"], cancel).AsTask().Result.TryGetPosition("scores/42", out var now) && now.Offset == 1);

        // The snippet does not tell when it has its cursor: it is published until something is printed.
        var printed = Printed.ReadAsync().AsTask();
        while (!printed.IsCompleted)
        {
            await hub.PublishAsync("scores/42", "later", cancellationToken: cancel);
            await Task.WhenAny(printed, Task.Delay(100, cancel));
        }

        (await printed).Should().Be("later", "it is after the cursor, and the goal is before it");
        await ending.CancelAsync();
        await ((Func<Task>)(() => reading)).Should().ThrowAsync<OperationCanceledException>();
    }

    private static async Task ReadAsync(ITopicPublisher topics, Goal goal, TopicHub hub, CancellationToken cancel)
    {
/*SNIPPET*/
    }
}

sealed record Goal(int Home, int Away);

[JsonSerializable(typeof(Goal))]
sealed partial class ScoreJson : JsonSerializerContext;
