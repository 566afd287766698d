using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace RealtimeKit.WebSockets.Tests.Connection.Kit;

/// <summary>A connection under test and its peer.</summary>
internal sealed class Harness : IAsyncDisposable
{
    private static readonly Lazy<X509Certificate2> Certificate = new(CreateCertificate);

    private Harness(WebSocketConnection connection, Peer peer)
    {
        Connection = connection;
        Peer = peer;
    }

    public WebSocketConnection Connection { get; }

    public Peer Peer { get; }

    /// <summary>Every kind of wire, for theories.</summary>
    public static TheoryData<Wire> Wires => [Wire.Pipe, Wire.Stream, Wire.OneByteStream, Wire.Socket, Wire.Tls];

    /// <summary>Those of memory, where a fake clock can decide everything.</summary>
    public static TheoryData<Wire> MemoryWires => [Wire.Pipe, Wire.Stream];

    /// <summary>The two kinds of transport, memory and network.</summary>
    public static TheoryData<Wire> MainWires => [Wire.Pipe, Wire.Stream, Wire.Socket];

    public static async Task<Harness> CreateAsync(Wire wire, Action<WebSocketConnectionOptions>? configure = null)
    {
        var options = new WebSocketConnectionOptions { KeepAliveInterval = Timeout.InfiniteTimeSpan };
        configure?.Invoke(options);
        if (wire is Wire.Socket or Wire.Tls)
            return await CreateOverNetworkAsync(wire, options);

        var (own, peer) = Pipes.CreatePair();
        var connection = wire switch
        {
            Wire.Pipe => WebSocketConnection.Create(own, options),
            Wire.Stream => WebSocketConnection.Create(own.AsStream(), options),
            _ => WebSocketConnection.Create(new ChunkedStream(own.AsStream(), () => 1), options),
        };
        return new Harness(connection, NewPeer(peer));
    }

    /// <summary>A connection over a stream of the test's own, whose other side is a pair of pipes.</summary>
    public static Harness Over(Func<Stream, Stream> wrap, Action<WebSocketConnectionOptions>? configure = null)
    {
        var options = new WebSocketConnectionOptions { KeepAliveInterval = Timeout.InfiniteTimeSpan };
        configure?.Invoke(options);
        var (own, peer) = Pipes.CreatePair();
        return new Harness(WebSocketConnection.Create(wrap(own.AsStream()), options), NewPeer(peer));
    }

    /// <summary>Two ends of a loopback wire.</summary>
    public static async Task<(Stream Server, Stream Client, Socket ServerSocket, Socket ClientSocket)> ConnectAsync(bool tls)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await client.ConnectAsync(listener.LocalEndPoint!).Within();
        var server = await listener.AcceptAsync().Within();
        server.NoDelay = true;
        Stream serverStream = new NetworkStream(server, ownsSocket: true);
        Stream clientStream = new NetworkStream(client, ownsSocket: true);
        if (tls)
        {
            var serverTls = new SslStream(serverStream);
            var clientTls = new SslStream(clientStream, leaveInnerStreamOpen: false, (_, certificate, _, _) => certificate?.GetCertHashString() == Certificate.Value.Thumbprint);
            await Task.WhenAll(
                serverTls.AuthenticateAsServerAsync(Certificate.Value),
                clientTls.AuthenticateAsClientAsync("localhost")).Within();
            serverStream = serverTls;
            clientStream = clientTls;
        }

        return (serverStream, clientStream, server, client);
    }

    public async ValueTask DisposeAsync()
    {
        // A test that has not closed in order is over: nobody waits for handshakes.
        if (Connection.CloseResult is null)
            Connection.Abort();
        await Peer.DisposeAsync();
        await Connection.DisposeAsync().AsTask().Within();
    }

    private static Peer NewPeer(IDuplexPipe peer) => new(
        peer.AsStream(),
        () => peer.Output.Complete(),
        () =>
        {
            peer.Output.Complete(new IOException("Reset by the test."));
            peer.Input.CancelPendingRead();
            peer.Input.Complete();
        });

    private static async Task<Harness> CreateOverNetworkAsync(Wire wire, WebSocketConnectionOptions options)
    {
        var (server, client, _, socket) = await ConnectAsync(wire == Wire.Tls);
        return new Harness(
            WebSocketConnection.Create(server, options),
            new Peer(client, () => socket.Shutdown(SocketShutdown.Send), () =>
            {
                socket.LingerState = new LingerOption(enable: true, seconds: 0);
                socket.Close();
            }));
    }

    private static X509Certificate2 CreateCertificate()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
    }
}
