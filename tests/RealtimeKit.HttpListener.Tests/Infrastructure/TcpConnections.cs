using System.Net.NetworkInformation;

namespace RealtimeKit.Listener.Tests;

/// <summary>The machine's TCP connections, as the kernel lists them.</summary>
internal static class TcpConnections
{
    /// <summary>
    /// How many connections a server's port still holds. One in TIME_WAIT is the kernel's memory of a connection that has ended.
    /// </summary>
    public static int OpenAt(int port) => IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpConnections()
        .Count(connection => connection.LocalEndPoint.Port == port && connection.State != TcpState.TimeWait);
}
