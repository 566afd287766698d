using System.Text.Json.Serialization;

namespace RealtimeKit.ServerSentEvents.Tests;

public sealed record Tick(decimal Price);

[JsonSerializable(typeof(Tick))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(string[]))]
internal sealed partial class TestJson : JsonSerializerContext;
