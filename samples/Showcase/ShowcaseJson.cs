using System.Text.Json;
using System.Text.Json.Serialization;

namespace RealtimeKit.Samples.Showcase;

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(ChatEvent))]
[JsonSerializable(typeof(Price))]
[JsonSerializable(typeof(Match))]
[JsonSerializable(typeof(MatchTable))]
[JsonSerializable(typeof(Reading))]
[JsonSerializable(typeof(Ping))]
[JsonSerializable(typeof(IReadOnlyList<Measured>))]
[JsonSerializable(typeof(IReadOnlyList<Traced>))]
[JsonSerializable(typeof(Beat))]
internal sealed partial class ShowcaseJson : JsonSerializerContext;

/// <summary>What a ping took, in milliseconds.</summary>
internal sealed record Ping(double Milliseconds);
