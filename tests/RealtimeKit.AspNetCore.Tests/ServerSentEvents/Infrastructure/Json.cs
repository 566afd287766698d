using System.Text.Json.Serialization;

namespace RealtimeKit.AspNetCore.Tests.ServerSentEvents;

internal sealed record Tick(int Number, string Text);

[JsonSerializable(typeof(Tick))]
internal sealed partial class Json : JsonSerializerContext;
