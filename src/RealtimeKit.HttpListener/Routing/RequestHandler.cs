using System.Net;

namespace RealtimeKit.Listener;

/// <summary>Serves one request. Its response is ended by whoever calls this.</summary>
internal delegate Task RequestHandler(HttpListenerContext context, CancellationToken stopping);
