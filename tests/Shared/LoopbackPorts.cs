using System.Net;
using System.Net.Sockets;

namespace RealtimeKit.Tests;

/// <summary>
/// Ports for programs that cannot be given port 0. They lie below those that systems give to whoever connects (Linux: from 32,768), so that
/// no connection takes one before its program does, or while the program is started anew; and none is given twice by one process.
/// </summary>
internal static class LoopbackPorts
{
    private const int First = 10_240;
    private const int Count = 9_700;

    // Where the bus of a node of a Redis cluster listens; 20,240 and above, so that none is a port of somebody else.
    private const int BusOffset = 10_000;

    private static int _next = Random.Shared.Next(Count);

    /// <summary>A port that nobody listens on, nor on the one 10,000 above.</summary>
    public static int Next()
    {
        while (true)
        {
            var port = First + (int)((uint)Interlocked.Increment(ref _next) % Count);
            if (IsFree(port) && IsFree(port + BusOffset))
                return port;
        }
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
