using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RealtimeKit.AspNetCore;
using RealtimeKit.Topics;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds one-time tickets to an application's authentication.</summary>
public static class TicketAuthenticationBuilderExtensions
{
    /// <summary>
    /// Adds the scheme <see cref="TicketDefaults.AuthenticationScheme"/>, which redeems tickets. They are kept in memory unless another
    /// <see cref="ITicketStore"/> is registered. <c>MapTickets</c> issues them; endpoints accept them with <c>RequireTicket</c>, or any
    /// policy with the scheme. Routing must come before authentication, as it does where the application says nothing about it.
    /// </summary>
    /// <param name="builder">What <c>AddAuthentication</c> gave.</param>
    /// <param name="configure">Sets the options: <see cref="TicketOptions.Endpoints"/> at least.</param>
    /// <returns><paramref name="builder"/>.</returns>
    public static AuthenticationBuilder AddTickets(this AuthenticationBuilder builder, Action<TicketOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configure);
        builder.Services.Configure(configure);
        builder.Services.AddAuthorization();
        builder.Services.TryAddSingleton<ITicketStore>(static services =>
            new MemoryTicketStore(timeProvider: services.GetRequiredService<IOptions<TicketOptions>>().Value.TimeProvider));
        builder.Services.TryAddSingleton(static services => new TicketService(
            services.GetRequiredService<ITicketStore>(), services.GetRequiredService<IOptions<TicketOptions>>().Value, services.GetService<ILogger<TicketService>>()));
        return builder.AddScheme<AuthenticationSchemeOptions, TicketAuthenticationHandler>(TicketDefaults.AuthenticationScheme, static _ => { });
    }
}
