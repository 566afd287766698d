using System.Security.Claims;

namespace RealtimeKit.Topics;

/// <summary>Who a user is, where the application does not say it otherwise.</summary>
internal static class UserIds
{
    /// <summary>The claim <see cref="ClaimTypes.NameIdentifier"/>, or else <c>sub</c>, or else the name; <see langword="null"/> for nobody.</summary>
    public static string? Of(ClaimsPrincipal user) =>
        user.FindFirst(ClaimTypes.NameIdentifier)?.Value ?? user.FindFirst("sub")?.Value ?? user.Identity?.Name;
}
