using System.Diagnostics;
using System.Globalization;

namespace RealtimeKit.Observability.Tests;

/// <summary>
/// What the tables of docs/observability.md say is what is emitted: each instrument, tag and value, each activity with its tags; and
/// nothing that has no row.
/// </summary>
public class EmittedTests
{
    [Fact(Timeout = 60_000)]
    public Task WebSockets_TrafficOfAllKinds_EmitsWhatTheTablesSay() => CompareAsync("RealtimeKit.WebSockets", "realtimekit.websocket.", WebSocketTraffic.RunAsync);

    [Fact(Timeout = 60_000)]
    public Task ServerSentEvents_TrafficOfAllKinds_EmitsWhatTheTablesSay() => CompareAsync("RealtimeKit.ServerSentEvents", "realtimekit.sse.", EventTraffic.RunAsync);

    [Fact(Timeout = 60_000)]
    public Task Topics_TrafficOfAllKinds_EmitsWhatTheTablesSay() => CompareAsync("RealtimeKit.Topics", "realtimekit.topics.", TopicTraffic.RunAsync);

    [Fact(Timeout = 60_000)]
    public Task Redis_TrafficOfAllKinds_EmitsWhatTheTablesSay() => CompareAsync("RealtimeKit.Redis", "realtimekit.redis.", RedisTraffic.RunAsync);

    private static async Task CompareAsync(string source, string prefix, Func<Recording, Task> run)
    {
        var tables = await Tables.ReadAsync();
        using var recording = new Recording(source);
        await run(recording);
        recording.Observe();

        var instruments = tables.Instruments.Where(row => row.Name.StartsWith(prefix, StringComparison.Ordinal)).ToArray();
        var measured = recording.Measurements.GroupBy(measurement => measurement.Instrument).ToArray();
        measured.Select(group => group.Key).Should().BeEquivalentTo(instruments.Select(row => row.Name), "each is measured, and nothing else is");
        foreach (var group in measured)
        {
            group.SelectMany(measurement => measurement.Tags.Keys).Distinct()
                .Should().BeEquivalentTo(instruments.Single(row => row.Name == group.Key).Tags, "these are the tags of {0}", group.Key);
            foreach (var error in group.SelectMany(measurement => measurement.Tags).Where(tag => tag.Key == "error.type").Select(tag => tag.Value))
                tables.IsErrorOf(group.Key, error).Should().BeTrue("{0} of {1} has no row", error, group.Key);
        }

        var values = tables.Values;
        foreach (var tag in recording.Measurements.SelectMany(measurement => measurement.Tags).Where(tag => tag.Key != "error.type").GroupBy(tag => tag.Key))
            tag.Select(pair => pair.Value).Distinct().Should().BeEquivalentTo(values[tag.Key], "these are the values of {0}", tag.Key);

        var activities = tables.Activities.Where(row => row.Source == source).ToArray();
        var traced = recording.Activities.GroupBy(activity => activity.OperationName).ToArray();
        traced.Select(group => group.Key).Should().BeEquivalentTo(activities.Select(row => row.Name), "each is traced, and nothing else is");
        foreach (var group in traced)
        {
            var row = activities.Single(row => row.Name == group.Key);
            group.Select(activity => $"{activity.Kind}").Distinct().Should().Equal(row.Kind);
            group.SelectMany(activity => activity.TagObjects).Select(tag => tag.Key).Distinct().Should().BeEquivalentTo(row.Tags, "these are the tags of {0}", group.Key);
            foreach (var error in group.Select(activity => activity.GetTagItem("error.type")).Where(error => error is not null))
                tables.IsErrorOf(group.Key, Convert.ToString(error, CultureInfo.InvariantCulture)!).Should().BeTrue("{0} of {1} has no row", error, group.Key);
            group.Where(activity => activity.GetTagItem("error.type") is not null).Select(activity => activity.Status).Should().AllBeEquivalentTo(ActivityStatusCode.Error);
        }
    }
}
