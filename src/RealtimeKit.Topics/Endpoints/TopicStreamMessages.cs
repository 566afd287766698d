using System.Text.Json.Serialization;

namespace RealtimeKit.Topics;

/// <summary>The data of a stream's opening event.</summary>
/// <param name="Stream">The stream's key.</param>
/// <param name="Topics">Its topics.</param>
internal sealed record TopicStreamOpening(string Stream, IReadOnlyList<string> Topics);

/// <summary>What a client posts to change its stream.</summary>
/// <param name="Stream">The stream's key.</param>
/// <param name="Subscribe">Topics to add.</param>
/// <param name="Unsubscribe">Topics to remove.</param>
/// <param name="After">A cursor with the positions after which added topics begin; those that it does not have begin now.</param>
/// <param name="Refresh">Whether the stream shall live on by the authentication with which this is posted.</param>
internal sealed record TopicStreamChange(string? Stream, string[]? Subscribe, string[]? Unsubscribe, string? After, bool? Refresh = null);

/// <summary>A change on its way to the node that has the stream.</summary>
/// <param name="UserId">Who posted it.</param>
/// <param name="Change">The change.</param>
/// <param name="User">The same with all claims, where the stream is to be refreshed.</param>
/// <param name="Expires">When the authentication of that expires.</param>
internal sealed record TopicStreamRequest(string? UserId, TopicStreamChange Change, PrincipalRecord? User = null, DateTimeOffset? Expires = null);

/// <summary>What came of a change.</summary>
/// <param name="Status">A status of HTTP.</param>
/// <param name="Reason">Why it was refused.</param>
/// <param name="Topics">The stream's topics afterwards.</param>
internal sealed record TopicStreamReply(int Status, string? Reason, IReadOnlyList<string>? Topics);

/// <summary>The answer to a client that has changed its stream.</summary>
/// <param name="Topics">The stream's topics now.</param>
internal sealed record TopicStreamTopics(IReadOnlyList<string> Topics);

/// <summary>The data of the event before a stream is ended by the application.</summary>
/// <param name="Reason">What it says.</param>
internal sealed record TopicStreamEnd(string? Reason);

/// <summary>The answer to a publication.</summary>
/// <param name="Position">The entry's position.</param>
internal sealed record TopicPublished(string Position);

/// <summary>The answer to a request for a cursor.</summary>
/// <param name="Cursor">The cursor.</param>
internal sealed record TopicCursorAnswer(string Cursor);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    AllowDuplicateProperties = false,
    MaxDepth = 12)]
[JsonSerializable(typeof(TopicStreamOpening))]
[JsonSerializable(typeof(TopicStreamChange))]
[JsonSerializable(typeof(TopicStreamRequest))]
[JsonSerializable(typeof(TopicStreamReply))]
[JsonSerializable(typeof(TopicStreamTopics))]
[JsonSerializable(typeof(TopicStreamEnd))]
[JsonSerializable(typeof(TopicPublished))]
[JsonSerializable(typeof(TopicCursorAnswer))]
internal sealed partial class TopicStreamJson : JsonSerializerContext;
