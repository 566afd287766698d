using System.Diagnostics.CodeAnalysis;

namespace RealtimeKit.Topics;

/// <summary>A store of tickets cannot be reached. The message holds no secrets. Endpoints answer it with 503.</summary>
/// <param name="message">What is wrong.</param>
/// <param name="innerException">Why.</param>
[SuppressMessage("Design", "CA1032", Justification = "Only with a message that says what is wrong.")]
public sealed class TicketStoreException(string message, Exception? innerException = null) : Exception(message, innerException);
