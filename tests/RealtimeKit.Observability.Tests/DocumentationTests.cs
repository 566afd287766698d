using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using RealtimeKit.ServerSentEvents;
using RealtimeKit.Topics;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Observability.Tests;

public class DocumentationTests
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

        (await Tables.ReadAsync()).Instruments.Select(row => (row.Name, row.Kind, (string?)row.Unit))
            .Should().BeEquivalentTo(instruments.Select(instrument => (instrument.Key, instrument.Value.Kind, instrument.Value.Unit)));
        instruments.Values.Select(instrument => instrument.Meter).Distinct()
            .Should().BeEquivalentTo("RealtimeKit.WebSockets", "RealtimeKit.ServerSentEvents", "RealtimeKit.Topics", "RealtimeKit.Redis");
    }
}
