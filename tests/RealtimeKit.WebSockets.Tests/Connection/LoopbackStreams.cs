using System.Net;
using System.Net.Sockets;

namespace RealtimeKit.WebSockets.Tests.Connection;

/// <summary>Two ends of a real TCP connection on loopback.</summary>
internal static class LoopbackStreams
{
    public static (NetworkStream Client, NetworkStream Server) Create()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        client.Connect(listener.LocalEndPoint!);
        var server = listener.Accept();
        server.NoDelay = true;
        return (new NetworkStream(client, ownsSocket: true), new NetworkStream(server, ownsSocket: true));
    }
}
