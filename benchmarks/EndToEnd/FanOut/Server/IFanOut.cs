namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>One way to tell everybody: maps the endpoints that subscribers connect to, and publishes to those who are there.</summary>
internal interface IFanOut
{
    int Subscribers { get; }

    void Map(WebApplication app);

    /// <summary>Publishes one message; completes when its publisher may go on to the next, as the implementation's users would wait for it.</summary>
    ValueTask PublishAsync(ReadOnlyMemory<byte> message);
}
