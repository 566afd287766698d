using System.Text.Json.Serialization;

namespace RealtimeKit.AspNetCore;

/// <summary>What a client asks of the endpoint for tickets.</summary>
/// <param name="Endpoint">For which endpoint.</param>
internal sealed record TicketWish(string? Endpoint);

/// <summary>What it gets.</summary>
/// <param name="Ticket">The ticket.</param>
/// <param name="ExpiresIn">For how many seconds it may be redeemed.</param>
internal sealed record TicketAnswer(string Ticket, int ExpiresIn);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, AllowDuplicateProperties = false, MaxDepth = 2)]
[JsonSerializable(typeof(TicketWish))]
[JsonSerializable(typeof(TicketAnswer))]
internal sealed partial class TicketMessageJson : JsonSerializerContext;
