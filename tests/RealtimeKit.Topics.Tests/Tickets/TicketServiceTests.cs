using System.Security.Claims;
using Microsoft.Extensions.Time.Testing;

namespace RealtimeKit.Topics.Tests.Tickets;

public class TicketServiceTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Redeem_User_IsRestoredWithItsIdentitiesAndClaims()
    {
        var tickets = new TicketService(new MemoryTicketStore(), new TicketOptions { Endpoints = ["/a"], IncludeClaim = claim => claim.Type != "secret" });
        var user = new ClaimsPrincipal([
            new ClaimsIdentity([new Claim("sub", "ann", ClaimValueTypes.String, "issuer"), new Claim("n", "1", ClaimValueTypes.Integer), new Claim("secret", "x")], "Cookies", "sub", "r"),
            new ClaimsIdentity([new Claim("guest", "yes")]),
        ]);
        var expires = DateTimeOffset.UtcNow.AddHours(1);
        var issue = await tickets.IssueAsync(user, "/a", null, expires, TestContext.Current.CancellationToken);
        issue.ToString().Should().NotContain(issue.Ticket);
        var redemption = await tickets.RedeemAsync(issue.Ticket!, "/a", null, TestContext.Current.CancellationToken);
        redemption.ExpiresUtc.Should().Be(expires);
        var identity = redemption.User!.Identities.Should().ContainSingle("who has not signed in is not kept").Subject;
        identity.Name.Should().Be("ann");
        identity.AuthenticationType.Should().Be("Cookies");
        identity.RoleClaimType.Should().Be("r");
        identity.Claims.Select(claim => (claim.Type, claim.Value, claim.ValueType, claim.Issuer)).Should().Equal(
            ("sub", "ann", ClaimValueTypes.String, "issuer"), ("n", "1", ClaimValueTypes.Integer, ClaimsIdentity.DefaultIssuer));
    }

    [Fact]
    public async Task Issue_NobodyOrExpired_IsRefused()
    {
        var tickets = new TicketService(new MemoryTicketStore(), new TicketOptions { Endpoints = ["/a"] });
        var token = TestContext.Current.CancellationToken;
        (await tickets.IssueAsync(new ClaimsPrincipal(new ClaimsIdentity()), "/a", null, cancellationToken: token)).Failure.Should().Be(TicketFailure.NotSignedIn);
        var ann = new ClaimsPrincipal(new ClaimsIdentity([], "test"));
        (await tickets.IssueAsync(ann, "/a", null, DateTimeOffset.UtcNow.AddSeconds(-1), token)).Failure.Should().Be(TicketFailure.NotSignedIn);
        (await tickets.IssueAsync(ann, "/b", null, cancellationToken: token)).Failure.Should().Be(TicketFailure.EndpointNotAllowed);
    }

    [Fact]
    public async Task MemoryStore_Full_RefusesUntilTicketsAreTakenOrOver()
    {
        var clock = new FakeTimeProvider();
        var store = new MemoryTicketStore(maxCount: 2, maxBytes: 100, clock);
        (await AddAsync("a", 10, Minute * 2)).Should().BeTrue();
        (await AddAsync("b", 10, Minute)).Should().BeTrue();
        (await AddAsync("c", 10, Minute)).Should().BeFalse();
        (await store.TakeAsync("a", Token))!.Value.Length.Should().Be(10);
        (await store.TakeAsync("a", Token)).Should().BeNull();
        (await AddAsync("a", 10, Minute * 2)).Should().BeTrue();
        clock.Advance(Minute);
        (await store.TakeAsync("b", Token)).Should().BeNull("its lifetime is over");
        (await AddAsync("d", 91, Minute)).Should().BeFalse("too many bytes");
        (await AddAsync("d", 90, Minute)).Should().BeTrue();
        clock.Advance(Minute);
        (await AddAsync("e", 100, Minute)).Should().BeTrue("the others are over");
        store.Count.Should().Be(1);

        ValueTask<bool> AddAsync(string key, int size, TimeSpan lifetime) => store.TryAddAsync(key, new byte[size], lifetime, Token);
    }

    [Fact]
    public async Task MemoryStore_TakenByMany_GivesToOne()
    {
        var store = new MemoryTicketStore();
        for (var i = 0; i < 200; i++)
        {
            var key = $"{i}";
            await store.TryAddAsync(key, new byte[1], Minute, Token);
            var taken = 0;
            Parallel.For(0, 8, _ =>
            {
                if (store.TakeAsync(key, Token).AsTask().Result is not null)
                    Interlocked.Increment(ref taken);
            });
            taken.Should().Be(1);
        }

        store.Count.Should().Be(0);
    }

    [Fact]
    public void EventIds_AreUnique()
    {
        var ids = typeof(RealtimeEventIds).GetFields().Select(field => (int)field.GetRawConstantValue()!).ToList();
        ids.Should().NotBeEmpty().And.OnlyHaveUniqueItems();
    }
}
