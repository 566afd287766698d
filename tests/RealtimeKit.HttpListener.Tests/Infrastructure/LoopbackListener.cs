using System.Net;

namespace RealtimeKit.Tests;

internal static class LoopbackListener
{
    /// <summary>Starts a listener on a free port of the loopback.</summary>
    /// <remarks>HttpListener knows no port 0: a free one is looked for, which somebody else may take first.</remarks>
    public static (HttpListener Listener, int Port) Start()
    {
        while (true)
        {
            var port = LoopbackPorts.Next();
            var listener = new HttpListener();
            listener.Prefixes.Add($"http://127.0.0.1:{port}/");
            try
            {
                listener.Start();
                return (listener, port);
            }
            catch (HttpListenerException)
            {
                ((IDisposable)listener).Dispose();
            }
        }
    }

    /// <summary>Closes a listener that was stopped before.</summary>
    public static void Close(HttpListener listener)
    {
        try
        {
            listener.Close();
        }
        catch (HttpListenerException)
        {
            // The framework opens its port again to give it up, and somebody else may have it by now.
        }
    }
}
