namespace RealtimeKit.WebSockets;

/// <summary>The negotiation of permessage-deflate (RFC 7692 §5 and §7.1), for both sides and any HTTP host.</summary>
/// <remarks>All members are thread-safe. What comes from the wire never throws.</remarks>
public static class PerMessageDeflate
{
    /// <summary>The name of the extension.</summary>
    public const string Name = "permessage-deflate";

    private const int MinWindowBits = PerMessageDeflateParameters.MinWindowBits;
    private const int MaxWindowBits = PerMessageDeflateParameters.MaxWindowBits;

    private const string ServerNoContextTakeover = "server_no_context_takeover";
    private const string ClientNoContextTakeover = "client_no_context_takeover";
    private const string ServerMaxWindowBits = "server_max_window_bits";
    private const string ClientMaxWindowBits = "client_max_window_bits";

    /// <summary>
    /// As a server, accepts the first of the client's offers that can be met; one that is malformed, repeats a parameter or has an
    /// unknown one is passed over (RFC 7692 §7.1).
    /// </summary>
    /// <param name="offers">The values of the request's <c>Sec-WebSocket-Extensions</c>.</param>
    /// <param name="options">What this server wants.</param>
    /// <param name="parameters">What is agreed on.</param>
    /// <param name="response">The value of the response's <c>Sec-WebSocket-Extensions</c>.</param>
    /// <returns><see langword="false"/>: there is no such offer; the connection goes on without compression.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="options"/> is <see langword="null"/>.</exception>
    public static bool TryAccept(
        in WebSocketHeaderValues offers, PerMessageDeflateOptions options, out PerMessageDeflateParameters parameters, out string? response)
    {
        ArgumentNullException.ThrowIfNull(options);
        var reader = new WebSocketExtensionReader(offers);
        while (reader.Read())
        {
            if (reader.Current.Name.SequenceEqual(Name) && TryRead(reader.Current, isOffer: true, out var offer))
            {
                response = Accept(offer, options, out parameters);
                return true;
            }
        }

        parameters = default;
        response = null;
        return false;
    }

    /// <summary>As a client, writes the offer.</summary>
    /// <param name="options">What this client wants.</param>
    /// <returns>
    /// The value of the request's <c>Sec-WebSocket-Extensions</c>; it always holds <c>client_max_window_bits</c>, so that a server may
    /// ask for a smaller window.
    /// </returns>
    /// <exception cref="ArgumentNullException"><paramref name="options"/> is <see langword="null"/>.</exception>
    public static string CreateOffer(PerMessageDeflateOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var offer = new WebSocketExtensionWriter().WriteExtension(Name);
        if (!options.ServerContextTakeover)
            offer.WriteParameter(ServerNoContextTakeover);
        if (!options.ClientContextTakeover)
            offer.WriteParameter(ClientNoContextTakeover);
        if (options.ServerMaxWindowBits < MaxWindowBits)
            offer.WriteParameter(ServerMaxWindowBits, options.ServerMaxWindowBits);
        if (options.ClientMaxWindowBits < MaxWindowBits)
            offer.WriteParameter(ClientMaxWindowBits, options.ClientMaxWindowBits);
        else
            offer.WriteParameter(ClientMaxWindowBits);
        return offer.ToString();
    }

    /// <summary>As a client, checks the server's answer to <see cref="CreateOffer"/>.</summary>
    /// <param name="response">The values of the response's <c>Sec-WebSocket-Extensions</c>.</param>
    /// <param name="options">The options of the offer.</param>
    /// <param name="parameters">What is agreed on; <see langword="null"/> where the server has declined.</param>
    /// <returns>
    /// <see cref="WebSocketHandshakeError.None"/>, also where the server has declined; otherwise the connection must be failed.
    /// </returns>
    /// <exception cref="ArgumentNullException"><paramref name="options"/> is <see langword="null"/>.</exception>
    public static WebSocketHandshakeError ReadResponse(
        in WebSocketHeaderValues response, PerMessageDeflateOptions options, out PerMessageDeflateParameters? parameters)
    {
        ArgumentNullException.ThrowIfNull(options);
        parameters = null;
        var reader = new WebSocketExtensionReader(response);
        while (reader.Read())
        {
            if (!reader.Current.Name.SequenceEqual(Name))
                continue;
            if (parameters is not null || !TryRead(reader.Current, isOffer: false, out var answer) || !IsAnswerTo(answer, options))
            {
                parameters = null;
                return WebSocketHandshakeError.CompressionInvalid;
            }

            parameters = new PerMessageDeflateParameters
            {
                ServerContextTakeover = !answer.ServerNoContextTakeover,
                ClientContextTakeover = !answer.ClientNoContextTakeover && options.ClientContextTakeover,
                ServerMaxWindowBits = answer.ServerMaxWindowBits ?? MaxWindowBits,
                ClientMaxWindowBits = Math.Min(answer.ClientMaxWindowBits ?? MaxWindowBits, options.ClientMaxWindowBits),
            };
        }

        if (reader.Error != WebSocketHandshakeError.None)
            parameters = null;
        return reader.Error;
    }

    // RFC 7692 §7.1.1.1 and §7.1.2.1: what the client asked of the server stands in the answer; a larger window breaks the promise of
    // the offer, in which the client's own window was an upper bound too (§7.1.2.2).
    private static bool IsAnswerTo(in Elements answer, PerMessageDeflateOptions options) =>
        (options.ServerContextTakeover || answer.ServerNoContextTakeover)
        && (options.ServerMaxWindowBits == MaxWindowBits || answer.ServerMaxWindowBits <= options.ServerMaxWindowBits)
        && (answer.ClientMaxWindowBits is null || answer.ClientMaxWindowBits <= options.ClientMaxWindowBits);

    private static string Accept(in Elements offer, PerMessageDeflateOptions options, out PerMessageDeflateParameters parameters)
    {
        var clientBits = Math.Min(offer.ClientMaxWindowBits ?? MaxWindowBits, options.ClientMaxWindowBits);

        // RFC 7692 §7.1.2.2: without the parameter in the offer the client's window cannot be limited; then it is at least not kept.
        if (!offer.HasClientMaxWindowBits)
            clientBits = MaxWindowBits;
        parameters = new PerMessageDeflateParameters
        {
            ServerContextTakeover = options.ServerContextTakeover && !offer.ServerNoContextTakeover,
            ClientContextTakeover = options.ClientContextTakeover && !offer.ClientNoContextTakeover && clientBits <= options.ClientMaxWindowBits,
            ServerMaxWindowBits = Math.Min(offer.ServerMaxWindowBits ?? MaxWindowBits, options.ServerMaxWindowBits),
            ClientMaxWindowBits = clientBits,
        };

        var response = new WebSocketExtensionWriter().WriteExtension(Name);
        if (!parameters.ServerContextTakeover)
            response.WriteParameter(ServerNoContextTakeover);
        if (!parameters.ClientContextTakeover)
            response.WriteParameter(ClientNoContextTakeover);
        if (offer.ServerMaxWindowBits is not null || parameters.ServerMaxWindowBits < MaxWindowBits)
            response.WriteParameter(ServerMaxWindowBits, parameters.ServerMaxWindowBits);
        if (parameters.ClientMaxWindowBits < MaxWindowBits)
            response.WriteParameter(ClientMaxWindowBits, parameters.ClientMaxWindowBits);
        return response.ToString();
    }

    // RFC 7692 §7.1: unknown parameters, repeated ones and values that do not belong there make an offer or an answer unusable.
    private static bool TryRead(in WebSocketExtensionOffer offer, bool isOffer, out Elements elements)
    {
        elements = default;
        if (offer.HasRepeatedParameter)
            return false;
        foreach (var parameter in offer.Parameters)
        {
            var isRead = parameter.Name switch
            {
                ServerNoContextTakeover => elements.ServerNoContextTakeover = !parameter.HasValue,
                ClientNoContextTakeover => elements.ClientNoContextTakeover = !parameter.HasValue,
                ServerMaxWindowBits => TryReadBits(parameter, out elements.ServerMaxWindowBits),
                ClientMaxWindowBits => (elements.HasClientMaxWindowBits = true)
                    && ((isOffer && !parameter.HasValue) || TryReadBits(parameter, out elements.ClientMaxWindowBits)),
                _ => false,
            };
            if (!isRead)
                return false;
        }

        return true;
    }

    private static bool TryReadBits(in WebSocketExtensionParameter parameter, out int? bits)
    {
        bits = parameter.TryGetInt32(out var value) && value is >= MinWindowBits and <= MaxWindowBits ? value : null;
        return bits is not null;
    }

    /// <summary>The parameters of one offer or answer.</summary>
    private struct Elements
    {
        public bool ServerNoContextTakeover;
        public bool ClientNoContextTakeover;
        public bool HasClientMaxWindowBits;
        public int? ServerMaxWindowBits;
        public int? ClientMaxWindowBits;
    }
}
