using Microsoft.AspNetCore.Http;

namespace RealtimeKit.AspNetCore;

/// <summary>
/// How an endpoint's event streams behave. Every value has a safe default and is validated where it is set. Immutable: one instance may
/// serve any number of endpoints and streams.
/// </summary>
public sealed partial class ServerSentEventEndpointOptions
{
    internal static ServerSentEventEndpointOptions Default { get; } = new();

    /// <summary>
    /// Which web pages may open a stream. Default: those of the same origin. Others are refused with 403 before anything runs on their
    /// behalf; those allowed by <see cref="OriginPolicy.Only"/> or <see cref="OriginPolicy.Any"/> get the CORS headers by which their
    /// browser lets them read the stream.
    /// </summary>
    public OriginPolicy Origins { get; init => field = value ?? throw new ArgumentNullException(nameof(value)); } = OriginPolicy.SameOrigin;

    /// <summary>
    /// Whether pages of the other origins that <see cref="Origins"/> lists may send cookies along (<c>withCredentials</c>). Default:
    /// <see langword="false"/>. Without effect under <see cref="OriginPolicy.Any"/>: every site's page could then act as the user.
    /// </summary>
    public bool AllowCredentials { get; init; }

    /// <summary>
    /// Asked before a stream starts, when the status may still be chosen; <see langword="null"/>, the default, for all. Where it answers
    /// <see langword="false"/>, the response is refused with the status that it has set, or else with 204: a browser's
    /// <c>EventSource</c> then never comes back (WHATWG HTML §9.2.3), as it must not once there is nothing left to send.
    /// </summary>
    public Func<ServerSentEventRequest, HttpContext, ValueTask<bool>>? Accept { get; init; }
}
