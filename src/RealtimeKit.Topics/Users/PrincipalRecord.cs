using System.Security.Claims;

namespace RealtimeKit.Topics;

/// <summary>A user as it is kept and sent between nodes: those of its identities that are authenticated, and their claims.</summary>
/// <param name="Identities">The identities.</param>
internal sealed record PrincipalRecord(IdentityRecord[] Identities)
{
    /// <summary>Takes down a user.</summary>
    /// <param name="user">The user.</param>
    /// <param name="includes">Which claims to take; <see langword="null"/> for all.</param>
    public static PrincipalRecord Of(ClaimsPrincipal user, Func<Claim, bool>? includes = null) => new(
    [
        .. from identity in user.Identities
           where identity.IsAuthenticated
           select new IdentityRecord(
               identity.AuthenticationType!,
               identity.NameClaimType,
               identity.RoleClaimType,
               [.. from claim in identity.Claims where includes is null || includes(claim) select ClaimRecord.Of(claim)]),
    ]);

    public ClaimsPrincipal ToPrincipal() => new(Identities.Select(static identity => identity.ToIdentity()));
}

/// <summary>One identity.</summary>
/// <param name="Type">How it was authenticated.</param>
/// <param name="NameType">The type of the claim that is its name.</param>
/// <param name="RoleType">The type of the claims that are its roles.</param>
/// <param name="Claims">Its claims.</param>
internal sealed record IdentityRecord(string Type, string NameType, string RoleType, ClaimRecord[] Claims)
{
    public ClaimsIdentity ToIdentity() => new(Claims.Select(static claim => claim.ToClaim()), Type, NameType, RoleType);
}

/// <summary>One claim; what has its usual value is left out.</summary>
/// <param name="Type">Its type.</param>
/// <param name="Value">Its value.</param>
/// <param name="ValueType">The value's type, where it is no string.</param>
/// <param name="Issuer">Who says so, where that is not the application.</param>
internal sealed record ClaimRecord(string Type, string Value, string? ValueType, string? Issuer)
{
    public static ClaimRecord Of(Claim claim) => new(
        claim.Type,
        claim.Value,
        claim.ValueType == ClaimValueTypes.String ? null : claim.ValueType,
        claim.Issuer == ClaimsIdentity.DefaultIssuer ? null : claim.Issuer);

    public Claim ToClaim() => new(Type, Value, ValueType ?? ClaimValueTypes.String, Issuer ?? ClaimsIdentity.DefaultIssuer);
}
