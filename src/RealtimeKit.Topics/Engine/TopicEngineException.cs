namespace RealtimeKit.Topics;

/// <summary>An engine could not do what it was asked, because its store cannot be reached or has no room. Retrying may help.</summary>
public sealed class TopicEngineException : IOException
{
    /// <summary>Makes the exception.</summary>
    public TopicEngineException()
        : this("The topics' store cannot be reached.")
    {
    }

    /// <summary>Makes the exception.</summary>
    /// <param name="message">What could not be done and why; no secrets.</param>
    public TopicEngineException(string message)
        : base(message)
    {
    }

    /// <summary>Makes the exception.</summary>
    /// <param name="message">What could not be done and why; no secrets.</param>
    /// <param name="innerException">What the store said.</param>
    public TopicEngineException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
