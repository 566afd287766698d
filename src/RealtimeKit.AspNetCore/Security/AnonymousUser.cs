using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features.Authentication;

namespace RealtimeKit.AspNetCore;

/// <summary>
/// Who a request's user is, without making one for each connection where nobody signs in. All of those share one that nothing can be added
/// to.
/// </summary>
internal static class AnonymousUser
{
    private static readonly ClaimsPrincipal Nobody = new FixedPrincipal();

    /// <summary>The user of a request, as whatever authenticates has set it; one without identity where nothing has.</summary>
    public static ClaimsPrincipal UserOf(HttpContext context) => context.Features.Get<IHttpAuthenticationFeature>()?.User ?? Nobody;

    private static NotSupportedException Refuse() => new("This user stands for everybody who has not signed in: nothing can be added to it.");

    private sealed class FixedPrincipal() : ClaimsPrincipal(new FixedIdentity())
    {
        public override void AddIdentity(ClaimsIdentity identity) => throw Refuse();

        public override void AddIdentities(IEnumerable<ClaimsIdentity> identities) => throw Refuse();
    }

    private sealed class FixedIdentity : ClaimsIdentity
    {
        public override void AddClaim(Claim claim) => throw Refuse();

        public override void AddClaims(IEnumerable<Claim?> claims) => throw Refuse();
    }
}
