using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;

namespace RealtimeKit.Topics.Tests;

/// <summary>What lies between a server and a client that may vanish: small pipes in memory, or a TCP connection over loopback.</summary>
internal sealed class ClientWire : IDisposable
{
    private readonly Socket[] _sockets;

    private ClientWire(IDuplexPipe server, IDuplexPipe client, params Socket[] sockets)
    {
        Server = server;
        Client = client;
        _sockets = sockets;
    }

    public IDuplexPipe Server { get; }

    public IDuplexPipe Client { get; }

    /// <summary>Pipes; the one to the client takes so many bytes before a flush pends.</summary>
    public static ClientWire InMemory(int size)
    {
        var toServer = new Pipe();
        var toClient = new Pipe(new PipeOptions(pauseWriterThreshold: size, resumeWriterThreshold: Math.Max(size / 2, 1), useSynchronizationContext: false));
        return new ClientWire(new Ends(toServer.Reader, toClient.Writer), new Ends(toClient.Reader, toServer.Writer));
    }

    /// <summary>Sockets, with buffers as small as the system allows.</summary>
    public static async Task<ClientWire> OverLoopbackAsync()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 1 };
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 1, NoDelay = true };
        await client.ConnectAsync(listener.LocalEndPoint!);
        var server = await listener.AcceptAsync();
        server.SendBufferSize = 1;
        server.NoDelay = true;
        return new ClientWire(Over(server), Over(client), server, client);
    }

    public void Dispose()
    {
        foreach (var socket in _sockets)
            socket.Dispose();
    }

    private static Ends Over(Socket socket)
    {
        var stream = new NetworkStream(socket, ownsSocket: true);
        return new Ends(PipeReader.Create(stream), PipeWriter.Create(stream));
    }

    private sealed class Ends(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
