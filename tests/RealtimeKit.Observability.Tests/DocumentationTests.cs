using System.Diagnostics.Metrics;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using RealtimeKit.ServerSentEvents;
using RealtimeKit.Topics;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Observability.Tests;

public partial class DocumentationTests
{
    [Fact(Timeout = 60_000)]
    public async Task Observability_TableOfInstruments_IsWhatThereIs()
    {
        var instruments = new Dictionary<string, (string Kind, string? Unit, string Meter)>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (!instrument.Meter.Name.StartsWith("RealtimeKit.", StringComparison.Ordinal))
                    return;
                instrument.Description.Should().NotBeNullOrEmpty();
                lock (instruments)
                    instruments[instrument.Name] = (instrument.GetType().Name.Split('`')[0], instrument.Unit, instrument.Meter.Name);
            },
        };
        listener.Start();

        // One of each that measures.
        var (client, server) = WebSocketConnection.CreatePair();
        client.Abort();
        server.Abort();
        await using var events = new ServerSentEventClient(new Uri("http://127.0.0.1:1/"));
        var services = new ServiceCollection();
        services.AddTopics().AddRedis("127.0.0.1:1,abortConnect=false,connectTimeout=100,connectRetry=0");
        await using var provider = services.BuildServiceProvider();
        _ = provider.GetRequiredService<TopicHub>();

        var docs = typeof(DocumentationTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(pair => pair.Key == "Docs").Value!;
        var documented = Row().Matches(await File.ReadAllTextAsync(Path.Combine(docs, "observability.md"), TestContext.Current.CancellationToken))
            .ToDictionary(row => row.Groups[1].Value, row => (row.Groups[2].Value, (string?)row.Groups[3].Value));
        documented.Should().BeEquivalentTo(instruments.ToDictionary(instrument => instrument.Key, instrument => (instrument.Value.Kind, instrument.Value.Unit)));
        instruments.Values.Select(instrument => instrument.Meter).Distinct()
            .Should().BeEquivalentTo("RealtimeKit.WebSockets", "RealtimeKit.ServerSentEvents", "RealtimeKit.Topics", "RealtimeKit.Redis");
    }

    [GeneratedRegex(@"^\| `(realtimekit\.[a-z_.]+)` \| (\w+) \| `([^`]+)` \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
