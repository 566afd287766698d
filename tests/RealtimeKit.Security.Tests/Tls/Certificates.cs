using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace RealtimeKit.Security.Tests.Tls;

/// <summary>An authority of the tests' own, and what it signs.</summary>
internal static class Certificates
{
    private static readonly X509Certificate2 Authority = CreateAuthority();

    public static X509Certificate2 Root => Authority;

    public static X509Certificate2 Server { get; } = Create("localhost", -1, 30);

    public static X509Certificate2 OtherName { get; } = Create("elsewhere.example", -1, 30);

    public static X509Certificate2 Expired { get; } = Create("localhost", -30, -2);

    public static X509Certificate2 Client { get; } = Create("client-7", -1, 30, "1.3.6.1.5.5.7.3.2");

    private static X509Certificate2 Create(string name, int fromDays, int toDays, string purpose = "1.3.6.1.5.5.7.3.1")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        if (name == "localhost")
            names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(purpose)], critical: false));
        using var signed = request.Create(Authority, DateTimeOffset.UtcNow.AddDays(fromDays), DateTimeOffset.UtcNow.AddDays(toDays), [1, 2, 3, (byte)name.Length]);
        return signed.CopyWithPrivateKey(key);
    }

    private static X509Certificate2 CreateAuthority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=the tests' authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-60), DateTimeOffset.UtcNow.AddDays(60));
    }
}
