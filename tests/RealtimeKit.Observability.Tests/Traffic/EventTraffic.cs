using System.Net;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using RealtimeKit.AspNetCore;
using RealtimeKit.ServerSentEvents;
using RealtimeKit.Tests;

namespace RealtimeKit.Observability.Tests;

/// <summary>Does with event streams whatever is measured or traced.</summary>
internal static class EventTraffic
{
    private const string Duration = "realtimekit.sse.server.stream.duration";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public static async Task RunAsync(Recording recording)
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var app = Build(clock);
        await app.StartAsync(Cancelled);
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.Single()), Timeout = Timeout.InfiniteTimeSpan };

        await http.GetStringAsync("/one", Cancelled);
        await recording.UntilAsync(Duration, "handler_returned");
        using (await http.GetAsync("/fails", HttpCompletionOption.ResponseHeadersRead, Cancelled))
            await recording.UntilAsync(Duration, "handler_failed");
        (await http.GetAsync("/idle", HttpCompletionOption.ResponseHeadersRead, Cancelled)).Dispose();
        await recording.UntilAsync(Duration, "client_gone");
        await UntilAsync("/idle", "realtimekit.sse.server.heartbeats", "", TimeSpan.FromSeconds(15));
        await UntilAsync("/aged", Duration, "max_age", TimeSpan.FromMinutes(1));
        await UntilAsync("/flood", Duration, "write_timeout", TimeSpan.FromSeconds(10));
        await UntilAsync("/user", Duration, "expired", TimeSpan.FromSeconds(10));
        await ClientAsync(recording, app.Urls.Single());

        using var last = await http.GetAsync("/idle", HttpCompletionOption.ResponseHeadersRead, Cancelled);
        await app.StopAsync(Cancelled);
        await recording.UntilAsync(Duration, "shutdown");

        async Task UntilAsync(string path, string instrument, string tag, TimeSpan step)
        {
            using var response = await http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead, Cancelled);
            await recording.UntilAsync(instrument, tag, () => clock.Pass(step));
        }
    }

    private static async Task ClientAsync(Recording recording, string address)
    {
        var options = new ServerSentEventClientOptions { ReconnectDelay = TimeSpan.Zero, MaxReconnectDelay = TimeSpan.FromMilliseconds(10) };
        await using (var client = new ServerSentEventClient(new Uri($"{address}/thrice"), options))
        {
            // A stream that ends, a 503, and at last a 204.
            await foreach (var item in client.ReadAllAsync(Cancelled))
                item.Data.Should().Be("one");
        }

        await recording.UntilAsync("realtimekit.sse.client.connects", "503");
        await recording.UntilAsync("realtimekit.sse.client.connects", "204");
        await recording.UntilAsync("realtimekit.sse.client.reconnects", "503");
        await using var plain = new ServerSentEventClient(new Uri($"{address}/plain"), options);
        await FluentActions.Awaiting(async () => await plain.ReadAllAsync(Cancelled).GetAsyncEnumerator(Cancelled).MoveNextAsync()).Should().ThrowAsync<ServerSentEventClientException>();
        await recording.UntilTracedAsync("sse connect", "content_type");
    }

    private static WebApplication Build(FakeTimeProvider clock)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddAuthorization();
        builder.Services.AddAuthentication("soon").AddScheme<AuthenticationSchemeOptions, ExpiringSoon>("soon", options => options.TimeProvider = clock);
        builder.Services.AddRealtime(options => (options.TimeProvider, options.ExpiryGrace) = (clock, TimeSpan.Zero));
        var app = builder.Build();
        var patient = new ServerSentEventEndpointOptions { TimeProvider = clock, MaxAge = TimeSpan.FromDays(1) };
        app.MapServerSentEvents("/one", patient, (events, closed) => events.WriteAsync("one", cancellationToken: closed).AsTask());
        app.MapServerSentEvents("/fails", patient, (_, _) => Task.FromException(new InvalidOperationException("Failed on purpose.")));
        app.MapServerSentEvents("/idle", patient, (_, closed) => Task.Delay(Timeout.Infinite, closed));
        app.MapServerSentEvents("/user", patient, (_, closed) => Task.Delay(Timeout.Infinite, closed)).RequireAuthorization();
        app.MapServerSentEvents("/aged", new ServerSentEventEndpointOptions { TimeProvider = clock }, (_, closed) => Task.Delay(Timeout.Infinite, closed));
        app.MapServerSentEvents("/flood", patient, async (events, closed) =>
        {
            while (!closed.IsCancellationRequested)
                await events.WriteAsync(new byte[64 * 1024], cancellationToken: CancellationToken.None);
        });
        var requests = 0;
        app.MapGet("/thrice", () => ++requests switch
        {
            1 => Results.Text("data: one\n\n", "text/event-stream"),
            2 => Results.StatusCode((int)HttpStatusCode.ServiceUnavailable),
            _ => Results.NoContent(),
        });
        app.MapGet("/plain", () => "no events");
        return app;
    }

    /// <summary>Whoever asks for /user is somebody, for half a minute.</summary>
    private sealed class ExpiringSoon(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            if (Request.Path != "/user")
                return Task.FromResult(AuthenticateResult.NoResult());
            var user = new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, "ann")], Scheme.Name));
            var properties = new AuthenticationProperties { ExpiresUtc = TimeProvider.GetUtcNow().AddSeconds(30) };
            return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(user, properties, Scheme.Name)));
        }
    }
}
