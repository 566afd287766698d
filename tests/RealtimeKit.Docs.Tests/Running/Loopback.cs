using System.Net;
using System.Net.Sockets;

namespace RealtimeKit.Docs.Tests;

internal static class Loopback
{
    /// <summary>A port that nobody listens on, for what cannot be given port 0.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
