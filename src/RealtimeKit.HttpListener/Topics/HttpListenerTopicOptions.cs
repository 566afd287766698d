using System.Security.Claims;

namespace System.Net;

public sealed partial class HttpListenerTopicOptions
{
    private static readonly ClaimsPrincipal Nobody = new(new ClaimsIdentity());

    /// <summary>
    /// Finds out who asks, for what the listener's own <see cref="HttpListener.AuthenticationSchemes"/> do not know: cookies, tokens. Asked
    /// once for each request of an allowed origin, but for preflights; <see langword="null"/> refuses it with 401, to which headers such as
    /// <c>WWW-Authenticate</c> may be added. Default: the user of the listener (<see cref="HttpListenerContext.User"/>), or one without identity
    /// where nobody signed in.
    /// </summary>
    public Func<HttpListenerContext, ValueTask<ClaimsPrincipal?>> Authenticate
    {
        get;
        set => field = value ?? throw new ArgumentNullException(nameof(value));
    } = static context => new ValueTask<ClaimsPrincipal?>(context.User switch
    {
        null => Nobody,
        ClaimsPrincipal user => user,
        var user => new ClaimsPrincipal(user),
    });
}
