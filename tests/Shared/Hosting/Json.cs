using System.Text.Json.Serialization;

namespace RealtimeKit.Tests;

internal sealed record Tick(int Number, string Text);

[JsonSerializable(typeof(Tick))]
internal sealed partial class Json : JsonSerializerContext;
