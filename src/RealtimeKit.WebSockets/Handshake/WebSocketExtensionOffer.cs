namespace RealtimeKit.WebSockets;

/// <summary>One element of <c>Sec-WebSocket-Extensions</c>: a name and its parameters, as spans over the header's value.</summary>
public readonly ref struct WebSocketExtensionOffer
{
    private readonly ReadOnlySpan<char> _parameters;

    internal WebSocketExtensionOffer(ReadOnlySpan<char> name, ReadOnlySpan<char> parameters, int parameterCount)
    {
        Name = name;
        _parameters = parameters;
        ParameterCount = parameterCount;
    }

    /// <summary>The extension's name: a token, compared with case.</summary>
    public ReadOnlySpan<char> Name { get; }

    /// <summary>The number of parameters, repeated ones included.</summary>
    public int ParameterCount { get; }

    /// <summary>The parameters in their order, repeated ones included, for <c>foreach</c>.</summary>
    public WebSocketExtensionParameterEnumerator Parameters => new(_parameters);

    /// <summary>
    /// Whether a parameter stands more than once, which RFC 7692 §7.1 forbids for permessage-deflate. The work grows with the square of
    /// <see cref="ParameterCount"/>, which the reader limits.
    /// </summary>
    public bool HasRepeatedParameter
    {
        get
        {
            var parameters = Parameters;
            while (parameters.MoveNext())
            {
                // A copy of the enumerator goes on from where this one stands.
                var others = parameters;
                while (others.MoveNext())
                    if (others.Current.Name.SequenceEqual(parameters.Current.Name))
                        return true;
            }
            return false;
        }
    }
}
