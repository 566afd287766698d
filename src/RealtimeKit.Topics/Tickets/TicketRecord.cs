using System.Text.Json.Serialization;

namespace RealtimeKit.Topics;

/// <summary>What a store keeps for a ticket.</summary>
/// <param name="User">To whom it was issued.</param>
/// <param name="Endpoint">What it opens.</param>
/// <param name="Origin">Which page asked for it; <see langword="null"/> for none: no browser.</param>
/// <param name="Expires">When the authentication of the user expires.</param>
internal sealed record TicketRecord(PrincipalRecord User, string Endpoint, string? Origin, DateTimeOffset? Expires);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, MaxDepth = 8)]
[JsonSerializable(typeof(TicketRecord))]
internal sealed partial class TicketJson : JsonSerializerContext;
