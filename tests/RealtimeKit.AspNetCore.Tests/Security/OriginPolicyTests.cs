using Microsoft.AspNetCore.Http;

namespace RealtimeKit.AspNetCore.Tests.Security;

public class OriginPolicyTests
{
    // RFC 6454 §4: scheme, host and port, whole.
    [Theory]
    [InlineData("http", "example.com", "http://example.com", true)]
    [InlineData("http", "example.com:80", "http://example.com", true)]
    [InlineData("http", "example.com", "http://example.com:80", true)]
    [InlineData("https", "example.com", "https://example.com:443", true)]
    [InlineData("http", "EXAMPLE.com", "http://example.COM", true)]
    [InlineData("http", "localhost:5080", "http://localhost:5080", true)]
    [InlineData("http", "[::1]:5080", "http://[::1]:5080", true)]
    [InlineData("https", "example.com", "http://example.com", false)]
    [InlineData("http", "example.com", "https://example.com", false)]
    [InlineData("http", "example.com", "https://example.com:80", false)]
    [InlineData("http", "example.com:8080", "http://example.com", false)]
    [InlineData("http", "example.com", "http://evil.example.com", false)]
    [InlineData("http", "example.com", "http://evilexample.com", false)]
    [InlineData("http", "example.com", "http://example.com.evil.net", false)]
    [InlineData("http", "example.com", "http://example.com@evil.net", false)]
    [InlineData("http", "example.com", "http://evil.net#http://example.com", false)]
    [InlineData("http", "example.com", "http://example.com/", false)]
    [InlineData("http", "example.com", "http://example.com/path", false)]
    [InlineData("http", "example.com", "http://example.com:", false)]
    [InlineData("http", "example.com", "http://example.com:+80", false)]
    [InlineData("http", "example.com", "http://example.com:80:80", false)]
    [InlineData("http", "example.com", "http://example.com http://evil.net", false)]
    [InlineData("http", "example.com", "null", false)]
    [InlineData("http", "example.com", "", false)]
    [InlineData("http", "example.com", "example.com", false)]
    [InlineData("http", "example.com", "://example.com", false)]
    [InlineData("http", "example.com", "http://", false)]
    [InlineData("http", "localhost", "http://127.0.0.1", false)]
    [InlineData("http", "", "http://", false)]
    [InlineData("http", "", "http://example.com", false)]
    public void SameOrigin_Origin_IsAllowedOnlyWhole(string scheme, string host, string origin, bool isAllowed) =>
        OriginPolicy.SameOrigin.IsAllowed(Request(scheme, host, origin)).Should().Be(isAllowed);

    [Theory]
    [InlineData("https://app.example", true)]
    [InlineData("https://APP.example:443", true)]
    [InlineData("http://localhost:3000", true)]
    [InlineData("chrome-extension://abcdef", true)]
    [InlineData("https://app.example:444", false)]
    [InlineData("http://app.example", false)]
    [InlineData("https://sub.app.example", false)]
    [InlineData("http://example.com", false)]
    [InlineData("null", false)]
    public void Only_Origin_IsAllowedWhereListed(string origin, bool isAllowed) =>
        OriginPolicy.Only("https://app.example", "http://localhost:3000", "chrome-extension://abcdef")
            .IsAllowed(Request("http", "example.com", origin)).Should().Be(isAllowed);

    [Theory]
    [InlineData("app.example")]
    [InlineData("https://app.example/")]
    [InlineData("https://*.app.example")]
    [InlineData("https://app.example:0")]
    [InlineData("https://app.example:65536")]
    [InlineData("null")]
    [InlineData("*")]
    [InlineData("")]
    public void Only_NotAnOrigin_Throws(string origin) =>
        FluentActions.Invoking(() => OriginPolicy.Only(origin)).Should().Throw<ArgumentException>();

    [Fact]
    public void Any_Everything_IsAllowed()
    {
        OriginPolicy.Any.IsAllowed(Request("http", "example.com", "https://evil.example")).Should().BeTrue();
        OriginPolicy.Any.IsAllowed(Request("http", "example.com", "null")).Should().BeTrue();
        OriginPolicy.Any.IsAllowed(Request("http", "example.com")).Should().BeTrue();
    }

    [Fact]
    public void IsAllowed_NoOrigin_IsAllowedUnlessRequired()
    {
        var request = Request("http", "example.com");
        OriginPolicy.SameOrigin.IsAllowed(request).Should().BeTrue();
        OriginPolicy.Only("https://app.example").IsAllowed(request).Should().BeTrue();
        OriginPolicy.SameOrigin.RequireOrigin().IsAllowed(request).Should().BeFalse();
        OriginPolicy.Any.RequireOrigin().IsAllowed(request).Should().BeFalse();
        OriginPolicy.SameOrigin.RequireOrigin().IsAllowed(Request("http", "example.com", "http://example.com")).Should().BeTrue();
    }

    [Fact]
    public void IsAllowed_TwoOrigins_IsRefused()
    {
        var request = Request("http", "example.com", "http://example.com", "http://example.com");
        OriginPolicy.SameOrigin.IsAllowed(request).Should().BeFalse();
        OriginPolicy.Only("http://example.com").IsAllowed(request).Should().BeFalse();
    }

    [Theory]
    [InlineData("http", "example.com", "https://example.com", true)]
    [InlineData("http", "example.com:8443", "https://example.com:8443", true)]
    [InlineData("http", "example.com", "https://other.example", false)]
    [InlineData("https", "example.com", "http://example.com", false)]
    public void IsRefusedForScheme_TlsEndedByAProxy_IsTold(string scheme, string host, string origin, bool isIt) =>
        OriginPolicy.SameOrigin.IsRefusedForScheme(Request(scheme, host, origin)).Should().Be(isIt);

    private static HttpRequest Request(string scheme, string host, params string[] origins)
    {
        var request = new DefaultHttpContext().Request;
        request.Scheme = scheme;
        request.Host = new HostString(host);
        if (origins.Length > 0)
            request.Headers.Origin = origins;
        return request;
    }
}
