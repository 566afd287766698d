using System.Net.Sockets;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>Ordinary keep-alive connections: what idle WebSockets are compared with.</summary>
internal sealed class HttpConnections(int count, int port) : IIdleConnections
{
    private readonly Socket[] _sockets = [.. Enumerable.Range(0, count).Select(_ => LoadConnection.Connect(port))];

    public void AnswerOnce()
    {
        foreach (var socket in _sockets)
            LoadConnection.Get(socket, "/plain");
    }

    public void Dispose()
    {
        foreach (var socket in _sockets)
            LoadConnection.Reset(socket);
    }
}
